"""Export and import of conversations of any size, beside the app if need be.

An import takes other chats' exports too (ChatGPT, DeepSeek, Open WebUI, LibreChat, NextChat,
Cherry Studio). One that was cut off is simply begun again: what is there already is not doubled.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from core.storage.db.new_file import new_file
from core.storage.store import Store
from core.storage.transfer.exports import ExportShape

_TELL_EVERY_BYTES = 32 << 20


def export_conversations(store: Store, owner: str, path: Path, shape: ExportShape) -> None:
    """Write everything to a file, which appears under its name once it is complete."""
    written = 0
    with new_file(path) as file:
        for piece in store.transfer.export_pieces(owner, shape):
            written += file.write(piece)
    count = store.conversations.count(owner)
    sys.stdout.write(f"{path}: {count} conversations, {written} bytes\n")


def import_conversations(store: Store, owner: str, path: Path) -> None:
    """Add what a file holds and is not there yet."""
    with path.open("rb") as file:
        result = store.transfer.import_file(owner, file, tell=_teller(path.stat().st_size))
    sys.stdout.write(
        f"{path}: {result.added} conversations added, {result.skipped} known already, "
        f"{result.messages_added} messages added\n"
    )
    if result.failed:
        sys.stderr.write(f"{path}: {result.failed} conversations could not be imported\n")
    for one in result.problems:
        sys.stderr.write(f"  {one.number} ({one.title or 'untitled'}): {one.problem}\n")


def _teller(total: int) -> Callable[[int], None]:
    """Return what tells on a terminal how far reading came; the file is read twice."""
    reported = 0

    def tell(place: int) -> None:
        nonlocal reported
        if sys.stderr.isatty() and abs(place - reported) >= _TELL_EVERY_BYTES:
            reported = place
            sys.stderr.write(f"\r{place * 100 // max(total, 1):3} % ")
            sys.stderr.flush()

    return tell
