"""Reading of a stranger's file: its kind is found, its good conversations come, the bad are named.

Like an export of ours it is read twice. The first time shows whether it is JSON to its end and
holds anything that is known, so that a broken file changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any, BinaryIO

from core.errors import InputError
from core.storage.transfer.chatgpt_shape import is_ours
from core.storage.transfer.file import ExportFile
from core.storage.transfer.foreign import nextchat, returned, values
from core.storage.transfer.foreign.archives import archive_errors, is_archive, json_members
from core.storage.transfer.foreign.assembly import assembled
from core.storage.transfer.foreign.cherry_file import CherryFile
from core.storage.transfer.foreign.model import (
    EntryRefusedError,
    ForeignConversation,
    ImportProblem,
    Problems,
)
from core.storage.transfer.foreign.shapes import (
    NEXTCHAT_STORE,
    Shape,
    bounded,
    items,
    read_entry,
    shape_of,
)
from core.storage.transfer.format import TravellingConversation, unknown
from core.storage.transfer.json_events import (
    Events,
    ValueRefusedError,
    events_of,
    skip,
)

Read = Callable[[Mapping[str, Any]], ForeignConversation | None]


class ImportFile:
    """What a file brings, of whichever kind it is."""

    def __init__(
        self, file: BinaryIO, *, owner: str, now: datetime, tell: Callable[[int], None]
    ) -> None:
        self._file = file
        self._owner = owner
        self._now = now
        self._tell = tell
        self._own: list[ExportFile] = []
        self._foreign: list[tuple[Callable[[], Iterator[Any]], Read]] = []
        self.problems = Problems()

    @contextmanager
    def checked(self) -> Iterator[Iterator[TravellingConversation]]:
        """Yield its conversations, all of it having been read; InputError: nothing comes."""
        with ExitStack() as stack, archive_errors():
            if is_archive(self._file):
                for opener in stack.enter_context(json_members(self._file)):
                    member = stack.enter_context(opener())
                    self._take(member, lambda _: self._tell(self._file.tell()), stack)
            else:
                self._take(self._file, self._tell, stack)
            if not self._own and not self._foreign:
                raise unknown()
            for export in self._own:
                export.check()
            known = sum(1 for _ in self._conversations())
            if self._foreign and not self._own and not known and self.problems.count:
                self._refuse()
            self.problems = Problems()
            yield self.parts()

    def parts(self) -> Iterator[TravellingConversation]:
        """Yield what was checked, our own in parts."""
        for export in self._own:
            yield from export.parts()
        yield from self._conversations()

    def _refuse(self) -> None:
        """Refuse a file none of whose entries can be read."""
        first = self.problems.named[0]
        facts = {"count": self.problems.count, "number": first.number, "problem": first.problem}
        raise InputError("file", "error.import_all_bad", facts=facts)

    def _take(self, file: BinaryIO, tell: Callable[[int], None], stack: ExitStack) -> None:
        """Note what a file holds that is known."""

        def events() -> Events:
            return events_of(file, tell)

        try:
            shape = shape_of(events())
        except InputError as error:
            if error.facts.get("problem") != "not JSON":
                raise
            # What began as nothing we know is not called a broken one of ours.
            raise unknown() from error
        if shape == "own":
            self._own.append(ExportFile(file, owner=self._owner, tell=tell))
        elif shape == "cherry-studio":
            backup = CherryFile(events)
            stack.callback(backup.close)
            backup.prepare()
            self._foreign.append((backup.entries, backup.read))
        elif shape is not None:
            read = _session if shape == "nextchat" else read_entry
            self._foreign.append((lambda: _entries(shape, events()), read))

    def _conversations(self) -> Iterator[TravellingConversation]:
        seen: set[str] = set()
        number = 0
        for entries, read in self._foreign:
            for entry in entries():
                number += 1
                try:
                    conversation = self._conversation(entry, read)
                    if conversation.conversation.id in seen:
                        title = conversation.conversation.title
                        raise EntryRefusedError("there twice", title)
                except EntryRefusedError as refusal:
                    title = refusal.title or _title(entry)
                    self.problems.note(ImportProblem(number, title, refusal.problem))
                    continue
                seen.add(conversation.conversation.id)
                yield conversation

    def _conversation(self, entry: object, read: Read) -> TravellingConversation:
        if isinstance(entry, Mapping) and is_ours(entry):
            return returned.read(entry, self._owner)
        return assembled(_read(entry, read), self._owner, now=self._now)


def _read(entry: object, read: Read) -> ForeignConversation:
    if isinstance(entry, ValueRefusedError):
        raise EntryRefusedError(entry.problem) from entry
    conversation = read(entry) if isinstance(entry, Mapping) else None
    if conversation is None:
        raise EntryRefusedError("not a conversation")
    return conversation


def _session(entry: Mapping[str, Any]) -> ForeignConversation | None:
    return nextchat.read(entry) if nextchat.is_one(entry) else None


def _title(entry: object) -> str:
    fields = values.mapping(entry)
    return values.title(fields.get("title") or fields.get("topic") or fields.get("name"))


def _entries(shape: Shape, events: Events) -> Iterator[Any]:
    """Yield what stands where conversations stand in a file of this shape."""
    event, value = next(events)
    if shape == "list":
        yield from items(events)
    elif shape == "single":
        yield bounded(event, value, events)
    else:
        yield from _sessions(events)
    for _ in events:  # to its end: what is cut off, or goes on, is no JSON
        pass


def _sessions(events: Events) -> Iterator[Any]:
    """Yield what stands in `chat-next-web-store`, `sessions`."""
    for event, key in events:
        if event != "map_key":
            return
        event, _ = next(events)
        if key != NEXTCHAT_STORE or event != "start_map":
            skip(event, events)
            continue
        for event, name in events:
            if event == "end_map":
                break
            event, _ = next(events)
            if name == "sessions" and event == "start_array":
                yield from items(events)
            else:
                skip(event, events)
