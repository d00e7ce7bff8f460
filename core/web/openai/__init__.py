"""OpenAI's API in front of the studio: chat completions, responses, models, pictures."""
