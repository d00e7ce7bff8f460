"""Copies of all rows: a snapshot in one file, a move to another database, what one person has."""
