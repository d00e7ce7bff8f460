"""The HTTP layer for other front ends."""
