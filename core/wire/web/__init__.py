"""What comes from the web, washed, and fenced as data for a model. Pure."""
