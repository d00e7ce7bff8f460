"""Files attached to a question: read in a process of their own, within time and memory."""
