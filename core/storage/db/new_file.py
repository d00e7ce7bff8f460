"""A file that is handed out: under its name once whole, and for nobody else to read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing: it is there, down to the disk, once the block has ended."""
    part = path.with_name(f"{path.name}.{uuid4().hex}.part")
    try:
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
