"""画成图 Draw it: from what was said to a picture, and from a picture back to what was said."""
