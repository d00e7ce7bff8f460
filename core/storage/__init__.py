"""Rows in a database, pictures in an archive."""
