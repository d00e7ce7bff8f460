"""Practice's chat provider: OpenAI's wire format with made-up answers."""
