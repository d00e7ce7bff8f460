"""What stands in front of the pages: base path, early calls, 404s, the facts of a connection."""
