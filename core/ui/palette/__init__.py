"""The command palette and keyboard shortcuts, on every page."""
