"""Answers between processes: their growth and their stop, told by notifications."""
