"""Addresses, names and sockets: where a connection comes from."""
