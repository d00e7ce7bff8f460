"""Practice's Kling: tasks that take their time and end in painted pictures."""
