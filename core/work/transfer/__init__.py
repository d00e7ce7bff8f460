"""Exports and imports of any size, in the background."""
