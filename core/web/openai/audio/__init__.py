"""Speech in OpenAI's shape: texts read aloud, recordings written down."""
