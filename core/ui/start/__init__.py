"""The start of the app: settings, log, and what is imported before the first page."""
