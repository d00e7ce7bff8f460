"""The HTTP layer's Kling routes."""
