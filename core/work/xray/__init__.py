"""The X-ray: what went over the wire, kept for a while, masked, for the owner to look at."""
