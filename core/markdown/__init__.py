"""Markdown, pure: where a block ends, what Streamlit must be told."""
