"""OpenAI's API, as clients that nobody here wrote use it."""
