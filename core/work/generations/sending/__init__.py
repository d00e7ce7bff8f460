"""On the way to Kling: whose turn it is, how many slots there are, one POST and its fate."""
