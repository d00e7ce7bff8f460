"""What is attached to a question, fenced as data for a model. Pure."""
