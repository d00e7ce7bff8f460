"""Admin command line: its parser, and which command does what."""

import argparse
import locale
import sys
from pathlib import Path
from typing import get_args

from core.access.owners import LOCAL_OWNER, user_owner
from core.admin import backups, upkeep
from core.admin.conversations import export_conversations, import_conversations
from core.admin.studio_files import check_person, open_store, person_owner
from core.admin.telling import Telling
from core.errors import AppError
from core.settings import Settings
from core.settings.values import secrets_of
from core.storage.transfer.exports import ExportShape
from core.texts.catalogue import LANGUAGES, language_of
from core.ui.start.configuration import app_settings
from core.wire.masking.secrets import known_secrets
from core.work.housekeeping import DELETED_KEPT_FOR

_PLACE = "a folder, an fsspec URL (s3://…), or env:NAME for what that variable holds"


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say; 1 when it could not be done, with the reason on stderr."""
    asked = _parser().parse_args(arguments)
    say = Telling(asked.language)
    try:
        settings = app_settings()
        known_secrets.replace(secrets_of(settings))
        return _run(asked, settings, say)
    except AppError as error:
        sys.stderr.write(f"{error.sentence(say.language)}\n")
        return 1
    except OSError as error:
        name = getattr(asked, "file", None) or error.filename or ""
        say.trouble(str(name), error)
        return 1


def _run(asked: argparse.Namespace, settings: Settings, say: Telling) -> int:
    match asked.command:
        case "export" | "import":
            return _transfer(asked, settings, say)
        case "backup":
            return backups.backup(settings, say, asked.to, asked.keep)
        case "restore":
            return backups.restore(settings, say, asked.backup)
        case "verify":
            return backups.verify_studio(settings, say, asked.backup)
        case "move-database":
            return backups.move_database(settings, say, asked.to)
        case "move-pictures":
            return upkeep.move_archive(settings, say, asked.to)
        case "prune":
            return upkeep.prune_studio(settings, say, asked.days)
        case "export-person":
            return upkeep.export_of(settings, say, person_owner(asked.person), asked.file)
        case _:
            return upkeep.delete_of(settings, say, person_owner(asked.person), is_sure=asked.yes)


def _transfer(asked: argparse.Namespace, settings: Settings, say: Telling) -> int:
    owner = user_owner(asked.user) if asked.user else LOCAL_OWNER
    store = open_store(settings, may_be_new=asked.command == "import")
    try:
        if asked.command == "export":
            if asked.user:
                check_person(store, owner)
            return export_conversations(store, say, owner, asked.file, asked.shape)
        return import_conversations(store, say, owner, asked.file)
    finally:
        store.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core.admin",
        description="Backups, moves and people's data of a studio. 墨灵的备份、迁移与个人数据。",
    )
    own = language_of((locale.getlocale()[0] or "").replace("_", "-"))
    parser.add_argument("--language", choices=LANGUAGES, default=own)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_backups(commands)
    _add_moves(commands)
    _add_people(commands)
    _add_transfers(commands)
    return parser


def _days(written: str) -> int:
    if not written.isascii() or not written.isdigit():
        raise argparse.ArgumentTypeError(f"{written!r}: want a whole number, 0 or more")
    return int(written)


_Commands = argparse._SubParsersAction  # argparse names it nowhere else


def _add_backups(commands: "_Commands[argparse.ArgumentParser]") -> None:
    one = commands.add_parser("backup", help="rows and pictures in one file / 备份为一个文件")
    one.add_argument("--to", metavar="PLACE", help=f"{_PLACE}; else INKLING_BACKUP_TO")
    one.add_argument("--keep", type=int, metavar="N", help="remove all but the newest N there")
    one = commands.add_parser("restore", help="into an empty store and archive / 恢复到空的数据中")
    one.add_argument("backup", metavar="BACKUP", help="path or URL of the .tar file")
    one = commands.add_parser("verify", help="each row has its file, each byte is right / 校验")
    one.add_argument("backup", metavar="BACKUP", nargs="?", help="a backup; else the studio itself")


def _add_moves(commands: "_Commands[argparse.ArgumentParser]") -> None:
    one = commands.add_parser(
        "move-database", help="SQLite ↔ PostgreSQL; stop the app / 迁移数据库"
    )
    one.add_argument("to", metavar="TO", help="path or postgresql:// URL, or env:NAME")
    one = commands.add_parser("move-pictures", help="disk ↔ S3 / 迁移图片")
    one.add_argument("to", metavar="TO", help=_PLACE)
    one = commands.add_parser("prune", help="what was deleted goes for good / 彻底清除已删除的内容")
    kept = DELETED_KEPT_FOR.days
    one.add_argument("--days", type=_days, default=kept, help="deleted so long ago")


def _add_people(commands: "_Commands[argparse.ArgumentParser]") -> None:
    whose = "e-mail address of a person who signs in, or: local"
    one = commands.add_parser("export-person", help="all of one person's data / 导出某人的全部数据")
    one.add_argument("person", metavar="PERSON", help=whose)
    one.add_argument("file", type=Path, metavar="FILE.zip")
    one = commands.add_parser("delete-person", help="remove it for good / 彻底删除某人的数据")
    one.add_argument("person", metavar="PERSON", help=whose)
    one.add_argument("--yes", action="store_true", help="without it, only say what would go")


def _add_transfers(commands: "_Commands[argparse.ArgumentParser]") -> None:
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
