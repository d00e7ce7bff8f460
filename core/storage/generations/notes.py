"""Notes of a generation's history as their column holds them: text id and facts, in JSON."""

import json
import re

from core.models.generations import Note

# Versions before this one wrote English sentences, and errors as `error.name code`.
_OLD_ERROR = re.compile(r"(error\.[a-z_0-9]+)(?: (\S+))?")


def written(note: Note | None) -> str:
    """Return a note as it is stored; nothing is an empty text."""
    if note is None:
        return ""
    value = {"text_id": note.text_id, "facts": dict(note.facts)}
    return json.dumps(value, separators=(",", ":"))


def read(stored: str) -> Note | str:
    """Return a stored note; the words of an earlier version come as they are."""
    if old := _OLD_ERROR.fullmatch(stored):
        text_id, code = old.groups()
        return Note(text_id, {} if code is None else {"code": code})
    if not stored.startswith("{"):
        return stored
    try:
        value = json.loads(stored)
        return Note(str(value["text_id"]), dict(value["facts"]))
    except (ValueError, KeyError, TypeError):
        return stored
