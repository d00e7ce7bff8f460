"""Admin command line: `python -m core.admin --help`. It reads the settings that the app reads."""
