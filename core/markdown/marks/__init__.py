"""Marks within a line: runs of signs, emphasis, line breaks, and which way a text runs."""
