"""Chat pages as each framework's own guide writes them, on one upstream."""
