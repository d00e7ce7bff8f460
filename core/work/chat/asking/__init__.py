"""What goes with a question: earlier turns, files, looks into the web, and its row."""
