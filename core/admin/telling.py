"""What the command line says, in the language of the terminal or the one that was asked for."""

import errno
import sys
from collections.abc import Sequence

from core.texts.catalogue import Language, text

_NAMED_MOST = 20
_TROUBLES = {
    errno.ENOENT: "admin.file_none",
    errno.EACCES: "admin.file_closed",
    errno.EPERM: "admin.file_closed",
    errno.EROFS: "admin.file_closed",
    errno.EISDIR: "admin.file_folder",
    errno.ENOTDIR: "admin.file_none",
    errno.ENOSPC: "admin.file_full",
}


class Telling:
    """Writes sentences to stdout, and progress to a terminal."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def line(self, text_id: str, **facts: object) -> None:
        """Say one sentence of the catalogue."""
        self._clear()
        sys.stdout.write(text(self.language, text_id, **facts) + "\n")

    def trouble(self, file: str, error: OSError) -> None:
        """Say on stderr why a file could not be read or written."""
        text_id = _TROUBLES.get(error.errno or 0, "admin.file_broken")
        detail = errno.errorcode.get(error.errno or 0, type(error).__name__)
        sys.stderr.write(text(self.language, text_id, file=file, detail=detail) + "\n")

    def names(self, text_id: str, names: Sequence[str]) -> None:
        """Say how many there are of something and name the first; nothing where there are none."""
        if not names:
            return
        self.line(text_id, count=len(names))
        shown = [f"  {name}" for name in names[:_NAMED_MOST]]
        rest = ["  …"] if len(names) > _NAMED_MOST else []
        sys.stdout.write("\n".join([*shown, *rest]) + "\n")

    def progress(self, done: int, every: int) -> None:
        """Show how far it came, on a terminal."""
        if sys.stderr.isatty() and (done % 50 == 0 or done == every):
            sys.stderr.write(f"\r{done} / {every} ")
            sys.stderr.flush()

    def table(self, name: str, rows: int) -> None:
        """Show how far a table came, on a terminal."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{name}: {rows}        ")
            sys.stderr.flush()

    def _clear(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
