"""The large view: one picture with its original, its facts and its actions."""
