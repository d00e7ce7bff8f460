"""What both providers' clients share: the HTTP client, errors below HTTP, masking."""
