"""A posted chat: its fields, bodies, turns and pictures, from JSON to a request."""
