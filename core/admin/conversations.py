"""Export and import of conversations of any size, beside the app if need be.

An import takes other chats' exports too (ChatGPT, DeepSeek, Open WebUI, LibreChat, NextChat,
Cherry Studio). One that was cut off is simply begun again: what is there already is not doubled.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from core.admin.telling import Telling
from core.storage.db.new_file import new_file
from core.storage.store import Store
from core.storage.transfer.exports import ExportShape
from core.texts.catalogue import text

_TELL_EVERY_BYTES = 32 << 20


def export_conversations(
    store: Store, say: Telling, owner: str, path: Path, shape: ExportShape
) -> int:
    """Write everything to a file, which appears under its name once it is complete."""
    written = 0
    with new_file(path) as file:
        for piece in store.exports.pieces(owner, shape):
            written += file.write(piece)
    count = store.conversations.count(owner)
    say.line("admin.exported", file=path, conversations=count, size=written)
    return 0


def import_conversations(store: Store, say: Telling, owner: str, path: Path) -> int:
    """Add what a file holds and is not there yet; 1 where something of it could not be."""
    with path.open("rb") as file:
        result = store.imports.import_file(owner, file, tell=_teller(path.stat().st_size))
    say.line(
        "history.imported",
        added=result.added,
        skipped=result.skipped,
        messages=result.messages_added,
    )
    if not result.failed:
        return 0
    say.line("history.import_failed", count=result.failed)
    for one in result.problems:
        say.line(
            "history.import_problem",
            number=one.number,
            title=one.title or text(say.language, "chat.untitled"),
            problem=text(say.language, f"fact.problem.{one.problem}"),
        )
    if result.failed > len(result.problems):
        sys.stdout.write("- …\n")
    return 1


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
