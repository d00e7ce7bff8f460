"""Entry point of `python -m core.admin`."""

import sys

from core.admin.command import main

if __name__ == "__main__":
    sys.exit(main())
