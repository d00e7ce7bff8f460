"""Speech as a generation: answered at once, fetched by the link that the answer told."""
