"""Importers: what other chats write, one reader for each kind, told apart by what stands in it."""
