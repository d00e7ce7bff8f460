"""Lineage: which pictures were drawn from which messages."""
