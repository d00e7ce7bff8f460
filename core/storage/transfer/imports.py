"""Import of conversations: nothing lost on the way, nothing doubled on arrival."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, BinaryIO, Self
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import Column, Connection, insert, select, update

from core.models.chat import Message
from core.storage.chat.conversations import USAGE_FIELDS, titled
from core.storage.chat.message_blobs import attach
from core.storage.chat.message_parts import parts_out
from core.storage.db.database import Database
from core.storage.db.schema import conversations, messages
from core.storage.lineage.links import bring_in
from core.storage.transfer.checked_fields import malformed
from core.storage.transfer.foreign.model import ImportProblem, Problems
from core.storage.transfer.foreign.reading import ImportFile
from core.storage.transfer.format import TravellingConversation

_CHUNK = 500
_BATCH_CHARACTERS = 2 << 20  # of text in one transaction


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many conversations were new (or undeleted), how many were here already."""

    added: int
    skipped: int
    messages_added: int
    failed: int = 0  # entries of another app's export that could not be read
    problems: tuple[ImportProblem, ...] = ()  # the first of them, named

    def facts(self) -> dict[str, Any]:
        """Return it as JSON values, for whoever asks how an import ended."""
        return {
            "added": self.added,
            "skipped": self.skipped,
            "messages": self.messages_added,
            "failed": self.failed,
            "problems": [[one.number, one.title, one.problem] for one in self.problems],
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return what was told as facts, by an older version too."""
        problems = tuple(ImportProblem(*one) for one in facts.get("problems", ()))
        counts = (facts["added"], facts["skipped"], facts["messages"], facts.get("failed", 0))
        return cls(*counts, problems)


class Imports:
    """Brings conversations into the store."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def import_file(
        self, owner: str, file: BinaryIO, *, tell: Callable[[int], None] = lambda place: None
    ) -> ImportResult:
        """Add what an export holds and this owner lacks: all of it, or nothing when it is wrong.

        Of another app's export what can be read comes in, and what cannot is named. The file is
        read twice, and may be larger than the memory; `tell` hears how far it came.
        """
        incoming = ImportFile(file, owner=owner, now=self._clock(), tell=tell)
        with incoming.checked() as parts:
            result = self._bring_in(owner, parts)
        problems: Problems = incoming.problems
        return replace(result, failed=problems.count, problems=tuple(problems.named))

    def _bring_in(self, owner: str, parts: Iterable[TravellingConversation]) -> ImportResult:
        """Write conversations down.

        New conversations arrive hidden, a few to a transaction, so that a large file does not keep
        others from writing; the last transaction shows them all. What a crash leaves behind looks
        deleted: the next import of the file shows it, or the next purge removes it.
        """
        skipped = 0
        arrived: list[str] = []
        messages_added = 0
        follows = False  # whether this part goes on with the conversation of the one before
        replaced: dict[str, str] = {}
        for batch in _batches(parts):
            with self._database.write() as connection:
                arrival = _Arrival(connection, owner)
                for item in batch:
                    conversation_id, row = arrival.place(item.conversation.id)
                    if not follows:
                        replaced = {}
                        if row is not None and row["deleted_at"] is None:
                            skipped += 1
                        else:
                            arrived.append(conversation_id)
                    if row is None:
                        arrival.add(item, conversation_id, hidden_at=self._clock())
                    messages_added += arrival.fill(
                        item, conversation_id, replaced, now=self._clock()
                    )
                    follows = not item.is_whole
        with self._database.write() as connection:
            for at in range(0, len(arrived), _CHUNK):
                connection.execute(
                    update(conversations)
                    .where(conversations.c.id.in_(arrived[at : at + _CHUNK]))
                    .values(deleted_at=None)
                )
        return ImportResult(len(arrived), skipped, messages_added)


class _Arrival:
    """One transaction of an import. An id that is somebody else's here is replaced by one derived
    from it and the owner, so that the next import of the same file finds it again."""

    def __init__(self, connection: Connection, owner: str) -> None:
        self._connection = connection
        self._owner = owner

    def place(self, conversation_id: str) -> tuple[str, Mapping[str, Any] | None]:
        """Return the conversation's id here, and its row when there is one."""
        for candidate in (conversation_id, _derived(self._owner, conversation_id)):
            query = select(conversations).where(conversations.c.id == candidate)
            row = self._connection.execute(query.with_for_update()).mappings().one_or_none()
            if row is None or row["owner"] == self._owner:
                return candidate, dict(row) if row is not None else None
        raise malformed('conversation, "id"', "somebody else's")

    def add(self, item: TravellingConversation, conversation_id: str, hidden_at: datetime) -> None:
        """Write down the conversation, hidden and without its messages."""
        values = asdict(item.conversation) | titled(item.conversation.title)
        values |= {
            "id": conversation_id,
            "head_id": None,
            "deleted_at": hidden_at,
        }
        self._connection.execute(insert(conversations).values(**values))

    def fill(
        self,
        item: TravellingConversation,
        conversation_id: str,
        replaced: dict[str, str],
        *,
        now: datetime,
    ) -> int:
        """Write down the messages it lacks; return how many.

        `replaced` holds the ids that the conversation's earlier messages have here, where they
        are others.
        """
        known = self._known(conversation_id, item.messages, replaced)
        new = {
            here: message
            for message in item.messages
            if (here := replaced.get(message.id, message.id)) not in known
        }
        rows = [_row(message, replaced, conversation_id) for message in new.values()]
        for at in range(0, len(rows), _CHUNK):
            self._connection.execute(insert(messages), rows[at : at + _CHUNK])
        for here, message in new.items():
            said, blobs = {here: message.parts}, item.blobs.get(message.id, ())
            attach(self._connection, self._owner, said, blobs, now=now)
        links = {here: item.links.get(message.id, ()) for here, message in new.items()}
        bring_in(
            self._connection, self._owner, {here: some for here, some in links.items() if some}
        )
        if rows:  # among them are words that the owner need not have written
            self._connection.execute(
                update(conversations)
                .where(conversations.c.id == conversation_id)
                .values(origin="import")
            )
        head_id = item.conversation.head_id
        if item.is_whole and head_id is not None:
            self._connection.execute(
                update(conversations)
                .where(conversations.c.id == conversation_id, conversations.c.head_id.is_(None))
                .values(head_id=replaced.get(head_id, head_id))
            )
        return len(rows)

    def _known(
        self, conversation_id: str, arriving: Sequence[Message], replaced: dict[str, str]
    ) -> set[str]:
        """Find ids for those whose own is taken by another conversation; return which are here."""
        homes = self._homes(message.id for message in arriving)
        taken = {
            message.id: _derived(conversation_id, message.id)
            for message in arriving
            if homes.get(message.id, conversation_id) != conversation_id
        }
        replaced |= taken
        homes |= self._homes(taken.values())
        return {here for here, home in homes.items() if home == conversation_id}

    def _homes(self, message_ids: Iterable[str]) -> dict[str, str]:
        wanted = list(message_ids)
        homes: dict[str, str] = {}
        columns: tuple[Column[str], Column[str]] = (messages.c.id, messages.c.conversation_id)
        for at in range(0, len(wanted), _CHUNK):
            query = select(*columns).where(messages.c.id.in_(wanted[at : at + _CHUNK]))
            homes |= {row[0]: row[1] for row in self._connection.execute(query)}
        return homes


def _row(message: Message, ids: Mapping[str, str], conversation_id: str) -> dict[str, object]:
    row = asdict(message)
    for name in ("usage", "version", "version_count"):
        del row[name]
    usage = asdict(message.usage) if message.usage else dict.fromkeys(USAGE_FIELDS)
    return (
        row
        | usage
        | {
            "id": ids.get(message.id, message.id),
            "parent_id": ids.get(message.parent_id, message.parent_id)
            if message.parent_id
            else None,
            "conversation_id": conversation_id,
            "status": message.status.value,
            "parts": parts_out(message.parts),
        }
    )


def _batches(
    items: Iterable[TravellingConversation],
) -> Iterator[list[TravellingConversation]]:
    batch: list[TravellingConversation] = []
    count = weight = 0
    for item in items:
        batch.append(item)
        count += len(item.messages)
        weight += item.weight()
        if count >= _CHUNK or weight >= _BATCH_CHARACTERS or len(batch) >= _CHUNK:
            yield batch
            batch, count, weight = [], 0, 0
    if batch:
        yield batch


def _derived(scope: str, identifier: str) -> str:
    return uuid5(NAMESPACE_OID, f"{scope}/{identifier}").hex
