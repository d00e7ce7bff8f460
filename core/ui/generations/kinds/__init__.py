"""The form of each kind of picture: its fields, what they ask for, and how it is filled again."""
