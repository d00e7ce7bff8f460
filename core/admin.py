"""Admin command line: `python -m core.admin export FILE` and `import FILE`, of any size.

It reads the same settings as the app, and may run beside it. An import takes other chats' exports
too (ChatGPT, DeepSeek, Open WebUI, LibreChat, NextChat, Cherry Studio). One that was cut off is
simply begun again: what is there already is not doubled.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from core.access.owners import LOCAL_OWNER, user_owner
from core.errors import AppError
from core.storage.store import Store
from core.storage.transfer.exports import ExportShape
from core.ui.configuration import app_settings

_TELL_EVERY_BYTES = 32 << 20


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say; 1 when it could not be done, with the reason on stderr."""
    asked = _parser().parse_args(arguments)
    owner = user_owner(asked.user) if asked.user else LOCAL_OWNER
    try:
        store = _open_store()
        try:
            if asked.command == "export":
                _export(store, owner, asked.file, asked.shape)
            else:
                _import(store, owner, asked.file)
        finally:
            store.close()
    except AppError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{asked.file}: {error.strerror or type(error).__name__}\n")
        return 1
    return 0


def _open_store() -> Store:
    settings = app_settings()
    database = settings.database_url
    return Store.open(database.reveal() if database else settings.data_dir / "inkling.sqlite3")


def _export(store: Store, owner: str, path: Path, shape: ExportShape) -> None:
    """Write everything to a file, which appears under its name once it is complete."""
    part = path.with_name(f"{path.name}.part")
    written = 0
    try:
        with part.open("wb") as file:
            for piece in store.transfer.export_pieces(owner, shape):
                written += file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    count = store.conversations.count(owner)
    sys.stdout.write(f"{path}: {count} conversations, {written} bytes\n")


def _import(store: Store, owner: str, path: Path) -> None:
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core.admin",
        description="Conversations out of the studio and in again. 导出、导入全部对话。",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_text in (
        ("export", "write all conversations to FILE (JSON) / 把全部对话写入文件"),
        (
            "import",
            "add what FILE, JSON or zip, holds and is not there yet / 导入文件中尚未有的对话",
        ),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("file", type=Path, metavar="FILE")
        command.add_argument(
            "--user", metavar="E-MAIL", help="whose: a person who signs in; else this machine's"
        )
    commands.choices["export"].add_argument(
        "--shape",
        choices=get_args(ExportShape),
        default="inkling",
        help="chatgpt: what other chats import / 其他聊天能导入的格式",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
