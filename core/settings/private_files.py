"""Private files: what the studio writes is for its own user to read, whatever the umask says."""

import os
from pathlib import Path

_MODE = 0o600


def private(path: str, flags: int) -> int:
    """Open a file as `open` does, one that is made now for nobody else: its `opener`."""
    return os.open(path, flags, _MODE)


def make_private(path: Path) -> None:
    """Make an empty file where there is none; one that is there stays as it is."""
    if not path.exists():
        os.close(private(str(path), os.O_CREAT | os.O_WRONLY | getattr(os, "O_CLOEXEC", 0)))


def write_private(path: Path, content: bytes) -> None:
    """Write a whole file."""
    with open(path, "wb", opener=private) as file:
        file.write(content)
