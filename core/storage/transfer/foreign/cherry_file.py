"""Cherry Studio's backup in two passes: its blocks, which may be many, wait in a file on disk."""

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.storage.db.column_types import clean
from core.storage.db.errors import file_errors, store_error
from core.storage.transfer.foreign import cherry_studio, values
from core.storage.transfer.foreign.cherry_studio import Topic
from core.storage.transfer.foreign.model import ForeignConversation
from core.storage.transfer.foreign.shapes import bounded, items
from core.storage.transfer.json_events import Events, ValueRefusedError, skip

_SETTINGS = "persist:cherry-studio"
_KEPT = ("type", "content", "thinking_millsec", "toolName", "file", "error")
_BLOCKS_MOST = 1000  # of one message

# A table's name, and the event and the value with which what is in it begins.
_Tables = Iterator[tuple[str, str, Any]]


class CherryFile:
    """One backup, its `data.json` read as often as is asked."""

    def __init__(self, events: Callable[[], Events]) -> None:
        self._events = events
        self._topics: dict[str, Topic] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="inkling-import-")
        with _disk_errors(self._folder.name):
            self._blocks = sqlite3.connect(Path(self._folder.name) / "blocks")
            self._blocks.execute("PRAGMA synchronous = OFF")
            self._blocks.execute("CREATE TABLE blocks (id TEXT PRIMARY KEY, block TEXT)")

    def close(self) -> None:
        """Remove what waited."""
        self._blocks.close()
        self._folder.cleanup()

    def prepare(self) -> None:
        """Read names and blocks; InputError where the file is no JSON."""
        events = self._events()
        for table, event, value in _tables(events):
            if table == _SETTINGS:
                settings = bounded(event, value, events)
                if not isinstance(settings, ValueRefusedError):
                    self._topics = cherry_studio.topics_in(settings)
            elif table == "message_blocks" and event == "start_array":
                with _disk_errors(self._folder.name):
                    self._blocks.executemany(
                        "INSERT OR IGNORE INTO blocks VALUES (?, ?)", _rows(events)
                    )
            else:
                skip(event, events)
        self._blocks.commit()

    def entries(self) -> Iterator[Any]:
        """Yield topics as they stand there, or the refusal of one out of bounds."""
        events = self._events()
        for table, event, _value in _tables(events):
            if table == "topics" and event == "start_array":
                yield from items(events)
            elif table == "" and event == "start_array":  # version 1: one list of keys and values
                for entry in items(events):
                    if values.text(values.mapping(entry).get("key")).startswith("topic:"):
                        yield entry.get("value")
            else:
                skip(event, events)

    def read(self, entry: Mapping[str, Any]) -> ForeignConversation | None:
        """Return the conversation that an entry is; None where it is none."""
        if not cherry_studio.is_one(entry):
            return None
        topic = self._topics.get(values.identifier(entry.get("id")), Topic())
        return cherry_studio.read(entry, topic, self._blocks_of)

    def _blocks_of(self, names: list[str]) -> list[Mapping[str, Any]]:
        found = []
        for name in names[:_BLOCKS_MOST]:
            query = "SELECT block FROM blocks WHERE id = ?"
            row = self._blocks.execute(query, (clean(name),)).fetchone()
            if row is not None:
                found.append(json.loads(row[0]))
        return found


def _tables(events: Events) -> _Tables:
    """Yield what is kept where; whoever takes it reads it to its end."""
    next(events)
    for event, key in events:
        if event != "map_key":
            return
        event, value = next(events)
        if key not in ("localStorage", "indexedDB"):
            skip(event, events)
        elif event != "start_map":
            yield "", event, value
        else:
            for event, name in events:
                if event == "end_map":
                    break
                yield (name, *next(events))


def _rows(events: Events) -> Iterator[tuple[str, str]]:
    for block in items(events):
        if isinstance(block, Mapping) and (name := values.identifier(block.get("id"))):
            kept = {field: block[field] for field in _KEPT if field in block}
            yield clean(name), json.dumps(kept)


@contextmanager
def _disk_errors(place: str) -> Iterator[None]:
    try:
        with file_errors(place):
            yield
    except sqlite3.Error as error:
        raise store_error("error.store_full", place) from error
