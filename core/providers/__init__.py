"""One async client per provider, and the practice server that stands in for both."""
