"""What the studio holds of one person: all of it in one zip, or removed for good."""

import base64
import json
import zipfile
from pathlib import Path
from typing import Any

from core.archive.archive import Archive
from core.errors import InputError, StoreError
from core.storage.db.errors import file_errors
from core.storage.db.new_file import new_file
from core.storage.store import Store
from core.work.maintenance.archived_files import SOUND_SUFFIX, archived_files

_SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def export_person(store: Store, archive: Archive, owner: str, path: Path) -> dict[str, int]:
    """Write everything of a person to a zip; return how many of each. It appears once whole.

    `conversations.json` is what History imports; `rows/` is every row, `pictures/`,
    `sounds/` and `attachments/` the files.
    """
    counts: dict[str, int] = {}
    with (
        file_errors(str(path.parent)),
        new_file(path) as target,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file,
    ):
        with file.open("conversations.json", "w", force_zip64=True) as conversations:
            for piece in store.exports.pieces(owner):
                conversations.write(piece)
        _write_rows(file, store, owner, counts)
        _write_files(file, store, archive, owner, counts)
    return counts


def delete_person(store: Store, archive: Archive, owner: str) -> dict[str, int]:
    """Remove everything of a person for good; what was spent stays in the books, without a name.

    InputError while something of theirs is under way: it would be billed, and be written down.
    """
    if count := store.people.open_work(owner):
        raise InputError("person", "error.person_busy", facts={"count": count})
    # Files first: cut off, their rows still name what is left.
    for file in archived_files(store, owner):
        archive.remove(file.name)
    return store.people.erase(owner)


def _write_rows(file: zipfile.ZipFile, store: Store, owner: str, counts: dict[str, int]) -> None:
    table, lines = "", None
    for name, row in store.people.rows(owner):
        if name != table:
            if lines is not None:
                lines.close()
            table, lines = name, file.open(f"rows/{name}.jsonl", "w", force_zip64=True)
        assert lines is not None
        lines.write(json.dumps(row, ensure_ascii=False, default=_plain).encode() + b"\n")
        counts[name] = counts.get(name, 0) + 1
    if lines is not None:
        lines.close()


def _write_files(
    file: zipfile.ZipFile, store: Store, archive: Archive, owner: str, counts: dict[str, int]
) -> None:
    for one in archived_files(store, owner):
        folder = "sounds" if one.name.endswith(f".{SOUND_SUFFIX}") else "pictures"
        try:
            file.writestr(f"{folder}/{one.name}", archive.original_bytes(one.name))
        except StoreError as error:
            if error.text_id != "error.picture_missing":
                raise
            counts["missing"] = counts.get("missing", 0) + 1
    for sha256, media_type, content in store.people.attached(owner):
        suffix = _SUFFIXES.get(media_type, "bin")
        file.writestr(f"attachments/{sha256}.{suffix}", content)
        counts["attachments"] = counts.get("attachments", 0) + 1


def _plain(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
