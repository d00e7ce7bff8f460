"""Sound to the page: an answer read aloud in a chunked reply."""
