"""Tools of the studio that a model may call while it answers, and the bounded loop around them."""
