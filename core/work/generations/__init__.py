"""Paid generations, from the intent to the archived file."""
