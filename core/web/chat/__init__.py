"""The HTTP layer's chat routes."""
