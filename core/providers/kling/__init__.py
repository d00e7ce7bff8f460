"""Kling's image API and the downloads of its results."""
