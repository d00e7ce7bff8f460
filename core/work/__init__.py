"""What goes on whether or not anyone is looking."""
