"""What single kinds of generations need beside the life that all of them have."""
