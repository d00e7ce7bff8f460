"""Speech: what is read aloud, by whom, at what price, and what was said into a microphone."""
