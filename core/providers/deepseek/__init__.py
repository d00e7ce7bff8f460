"""DeepSeek, and any OpenAI-compatible chat server."""
