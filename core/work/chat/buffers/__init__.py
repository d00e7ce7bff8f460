"""Buffers of an answer that grows: its text in pieces, what is said of it, its tool calls."""
