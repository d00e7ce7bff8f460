"""What things cost, as the pages show it."""
