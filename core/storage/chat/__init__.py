"""Rows of conversations and messages."""
