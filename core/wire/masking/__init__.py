"""Masking of secrets: in whole texts, in streams, in the log."""
