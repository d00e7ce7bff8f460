"""Drawing what was said: a chat model writes the prompt, a person presses, Kling draws."""
