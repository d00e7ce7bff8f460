"""Conversations that travel: the export format, its reading and writing."""
