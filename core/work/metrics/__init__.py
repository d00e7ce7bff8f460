"""Metrics: what is counted while the studio works, and how it is told to Prometheus."""
