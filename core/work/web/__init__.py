"""Looks into the web that a person asked for: searches, and pages to be read."""
