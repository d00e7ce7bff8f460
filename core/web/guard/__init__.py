"""Guard of the HTTP layer: who may call, how often, and how much at once."""
