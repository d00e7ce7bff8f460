"""Answers that go on whether or not anyone looks."""
