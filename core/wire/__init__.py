"""Wire formats and timing rules: no I/O, no clock, no randomness except as arguments."""
