"""Pictures in OpenAI's shape, drawn by Kling."""
