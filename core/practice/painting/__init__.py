"""Practice's pictures: a frozen painter behind one function."""
