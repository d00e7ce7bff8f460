"""The X-ray page: exchanges with the providers, one by one, taken apart."""
