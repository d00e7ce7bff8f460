"""Speech without a provider: a voice, and the servers that speak and write down with it."""
