"""Rows of generations, their tasks and pictures."""
