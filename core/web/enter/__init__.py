"""`/enter`: the way in with a token or a one-time link."""
