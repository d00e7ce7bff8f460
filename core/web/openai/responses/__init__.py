"""OpenAI's Responses API over the same chat: stateless, but items may be referred to."""
