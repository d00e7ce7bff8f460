"""What the bench beside peers is made of: environments, programs, pages, rounds, a table."""
