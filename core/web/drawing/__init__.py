"""Drawing what was said, over HTTP."""
