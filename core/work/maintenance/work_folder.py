"""Work folders: where a backup's rows are put together or laid out; gone when that has ended."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from core.storage.db.errors import copy_errors

ROWS = "store.sqlite3"
_NAME = re.compile(r"(backup|restore)-[a-z0-9_]{8}")
# All rows are in one: of a process that was killed it is no use to anybody but a thief.
LEFT_S = 24 * 3600.0


@contextmanager
def work_folder(parent: Path, kind: Literal["backup-", "restore-"]) -> Iterator[Path]:
    """Make a folder for a while; what goes wrong with its files is a StoreError that names it."""
    with copy_errors(str(parent)):
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=kind) as name:
            folder = Path(name)
            now = folder.stat().st_mtime  # by the clock of whoever keeps these files
            for one in parent.iterdir():
                if _NAME.fullmatch(one.name) and _is_left(one, now):
                    shutil.rmtree(one, ignore_errors=True)
            yield folder


def _is_left(folder: Path, now: float) -> bool:
    """Tell whether it is old, and holds what we lay there: others may call a folder as we do."""
    if not folder.is_dir() or now - folder.stat().st_mtime < LEFT_S:
        return False
    return all(one.name.startswith(ROWS) for one in folder.iterdir())
