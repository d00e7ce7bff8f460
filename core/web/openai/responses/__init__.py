"""OpenAI's Responses API over the same chat: stateless, with text, tools and streaming events."""
