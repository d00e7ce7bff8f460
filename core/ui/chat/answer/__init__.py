"""What stands with an answer beside its text: sources, steps, previews, reading aloud, copying."""
