"""What the house talks about: frozen values of both columns; no I/O."""
