"""What stands in the words of a model: thinking, calls of tools that leaked, code."""
