"""What the HTTP layer's benchmark is made of: servers, their reader, visitors of pages."""
