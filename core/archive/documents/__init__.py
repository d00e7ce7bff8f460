"""Text inside files that people hand in, and their pictures made ready to be looked at."""
