"""How to call every method of the store that serves one owner, aimed at what another one has.

`owner` calls, has `mine`, and reaches for `theirs`; what a stranger gets stands beside the call.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from core.models.chat import Conversation
from core.models.generations import KlingTask, TaskStatus
from core.storage.chat.branches import RemovedTurn
from core.storage.store import Store
from core.storage.transfer.format import FORMAT, VERSION
from core.storage.transfer.imports import ImportResult
from tests.unit.storage.belongings import (
    EVERYONES_REQUEST,
    PARAMETERS,
    REFERENCE,
    UNREADABLE,
    WORD,
    Belongings,
    begin,
    references_of,
)


class Gets(Enum):
    """What a stranger gets, where it is no value."""

    REFUSED = "an InputError, as if it were not there"
    OWN = "something of the stranger's own, nothing of the other's"


REFUSED, OWN = Gets.REFUSED, Gets.OWN
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
Act = Callable[[Store, str, Belongings, Belongings], object]


@dataclass(frozen=True, slots=True)
class Case:
    """One call, and what a stranger gets for it."""

    act: Act
    gets: object
    gives_its_owner_nothing: bool = False


def _export(theirs: Belongings) -> dict[str, object]:
    """Return a file that names the other's ids: anyone can write one."""
    moment = {"created_at": "2026-11-22T10:00:00+00:00"}
    whole = moment | {"updated_at": moment["created_at"], "title": "a file's"}
    whole |= {"id": theirs.conversation, "head_id": theirs.answer}
    said: list[dict[str, object]] = [
        {"id": theirs.question, "parent_id": None, "role": "user", "content": "a file's"},
        {"id": theirs.answer, "parent_id": theirs.question, "role": "assistant", "content": "x"},
        # Not there yet: what an import would add to the other's conversation.
        {"id": "0" * 32, "parent_id": theirs.answer, "role": "user", "content": "a file's"},
    ]
    tree = {"messages": [one | moment for one in said]}
    return {"format": FORMAT, "version": VERSION, "conversations": [whole | tree]}


def _removed(where: Belongings, held: Belongings, hung: Belongings) -> RemovedTurn:
    """Return what names a conversation, a place and messages, of whomever each is."""
    return RemovedTurn(where.conversation, held.conversation, None, ((hung.question, None),))


def _drafted(store: Store, owner: str) -> Conversation:
    return store.conversations.draft(owner, parameters=PARAMETERS)


def _begin_as_other(store: Store, owner: str) -> object:
    theirs = _drafted(store, "another-one")
    return begin(store, owner, theirs.id, begins=theirs)


def _export_file(theirs: Belongings) -> io.BytesIO:
    return io.BytesIO(json.dumps(_export(theirs)).encode())


def _task(theirs: Belongings) -> KlingTask:
    return KlingTask(
        str(theirs.archived.task_id),
        TaskStatus.SUCCEED,
        external_task_id=theirs.archived.external_task_id,
    )


_NEW_TASK = KlingTask("T-new", TaskStatus.SUCCEED)
_ALL_NEW = ImportResult(added=1, skipped=0, messages_added=3)

CASES: dict[str, tuple[Case, ...]] = {
    "branches.fork": (
        Case(lambda s, o, m, t: s.branches.fork(o, t.conversation, t.answer, "x"), REFUSED),
        Case(lambda s, o, m, t: s.branches.fork(o, m.conversation, t.answer, "x"), REFUSED),
    ),
    "branches.remove_turn": (
        Case(lambda s, o, m, t: s.branches.remove_turn(o, t.conversation, t.question), REFUSED),
        Case(lambda s, o, m, t: s.branches.remove_turn(o, m.conversation, t.question), REFUSED),
    ),
    "branches.restore_turn": (
        Case(lambda s, o, m, t: s.branches.restore_turn(o, _removed(t, t, t)), REFUSED),
        Case(lambda s, o, m, t: s.branches.restore_turn(o, _removed(m, t, m)), REFUSED),
        Case(lambda s, o, m, t: s.branches.restore_turn(o, _removed(m, m, t)), REFUSED),
    ),
    "conversations.create": (Case(lambda s, o, m, t: s.conversations.create(o), OWN),),
    "conversations.draft": (Case(lambda s, o, m, t: _drafted(s, o), OWN),),
    "conversations.get": (Case(lambda s, o, m, t: s.conversations.get(o, t.conversation), None),),
    "conversations.list": (Case(lambda s, o, m, t: s.conversations.list(o), OWN),),
    "conversations.count": (Case(lambda s, o, m, t: s.conversations.count(o), 2),),
    "conversations.rename": (
        Case(
            lambda s, o, m, t: s.conversations.rename(o, t.conversation, "x", manual=True), REFUSED
        ),
    ),
    "conversations.configure": (
        Case(lambda s, o, m, t: s.conversations.configure(o, t.conversation, pinned=True), REFUSED),
        Case(lambda s, o, m, t: s.conversations.configure(o, t.conversation), REFUSED),
    ),
    "conversations.delete": (
        Case(lambda s, o, m, t: s.conversations.delete(o, t.conversation), REFUSED),
    ),
    "conversations.restore": (
        Case(lambda s, o, m, t: s.conversations.restore(o, t.deleted_conversation), REFUSED),
    ),
    "conversations.usage_totals": (
        Case(lambda s, o, m, t: s.conversations.usage_totals(o, t.conversation), REFUSED),
    ),
    "ledger.several": (Case(lambda s, o, m, t: s.ledger.several(o, [t.answer]), {}),),
    "messages.get": (Case(lambda s, o, m, t: s.messages.get(o, t.answer), None),),
    "messages.blob": (
        Case(lambda s, o, m, t: s.messages.blob(o, t.attached.sha256), None),
        Case(lambda s, o, m, t: s.messages.blob(o, m.attached.sha256), OWN),
    ),
    "messages.path": (
        Case(lambda s, o, m, t: s.messages.path(o, t.conversation), ()),
        Case(lambda s, o, m, t: s.messages.path(o, t.conversation, head_id=t.answer), ()),
        Case(lambda s, o, m, t: s.messages.path(o, m.conversation, head_id=t.answer), ()),
    ),
    "messages.versions": (Case(lambda s, o, m, t: s.messages.versions(o, t.answer), ()),),
    "messages.choose_version": (
        Case(lambda s, o, m, t: s.messages.choose_version(o, t.conversation, t.answer), REFUSED),
        Case(lambda s, o, m, t: s.messages.choose_version(o, m.conversation, t.answer), REFUSED),
    ),
    "messages.add": (
        Case(
            lambda s, o, m, t: s.messages.add(
                o, t.conversation, role="user", content="x", parent_id=None
            ),
            REFUSED,
        ),
        Case(
            lambda s, o, m, t: s.messages.add(
                o, m.conversation, role="user", content="x", parent_id=t.answer
            ),
            REFUSED,
        ),
    ),
    "messages.keep_parts": (
        Case(lambda s, o, m, t: s.messages.keep_parts(o, t.question, ()), False),
        Case(lambda s, o, m, t: s.messages.keep_parts(o, t.answer, ()), False),
    ),
    "messages.begin_answer": (
        Case(lambda s, o, m, t: begin(s, o, t.conversation), REFUSED),
        Case(lambda s, o, m, t: begin(s, o, m.conversation, t.answer), REFUSED),
        Case(lambda s, o, m, t: _begin_as_other(s, o), REFUSED, gives_its_owner_nothing=True),
        Case(
            lambda s, o, m, t: begin(s, o, m.conversation, begins=_drafted(s, o)),
            REFUSED,
            gives_its_owner_nothing=True,
        ),
    ),
    "running_answers.progress": (
        Case(lambda s, o, m, t: s.running_answers.progress(o, t.answer, 0), None),
        Case(lambda s, o, m, t: s.running_answers.progress(o, t.running_answer, 0), None),
    ),
    "running_answers.request_stop": (
        Case(lambda s, o, m, t: s.running_answers.request_stop(o, t.running_answer), False),
    ),
    "search.find": (
        Case(lambda s, o, m, t: s.search.find(o, WORD), OWN),
        Case(lambda s, o, m, t: s.search.find(o, WORD, with_reasoning=True), OWN),
        Case(lambda s, o, m, t: s.search.find(o, WORD[:2]), OWN),  # too short for the index
    ),
    "exports.conversation": (
        Case(lambda s, o, m, t: s.exports.conversation(o, t.conversation), REFUSED),
    ),
    "exports.conversations": (
        Case(lambda s, o, m, t: s.exports.conversations(o), OWN),
        Case(
            lambda s, o, m, t: s.exports.conversations(o, [m.conversation, t.conversation]),
            REFUSED,
        ),
    ),
    "exports.pieces": (Case(lambda s, o, m, t: b"".join(s.exports.pieces(o)), OWN),),
    "imports.import_file": (
        Case(lambda s, o, m, t: s.imports.import_file(o, _export_file(t)), _ALL_NEW),
    ),
    "intents.create": (
        Case(
            lambda s, o, m, t: s.intents.create(
                o,
                EVERYONES_REQUEST,
                provider="kling",
                idempotency_key=t.waiting.idempotency_key,
                references=references_of(o),
            ),
            OWN,
        ),
        Case(
            lambda s, o, m, t: s.intents.create(
                o,
                t.archived.request,
                provider="kling",
                external_task_id=t.archived.external_task_id,
                references=[REFERENCE],
            ),
            REFUSED,
        ),
        Case(
            lambda s, o, m, t: s.intents.create(
                o, EVERYONES_REQUEST, provider="kling", message_id=t.answer
            ),
            REFUSED,
        ),
    ),
    "lineage.drawn_from": (Case(lambda s, o, m, t: s.lineage.drawn_from(o, [t.answer]), {}),),
    "lineage.origins": (Case(lambda s, o, m, t: s.lineage.origins(o, [t.archived.id]), {}),),
    "intents.adopt_task": (
        Case(
            lambda s, o, m, t: s.intents.adopt_task(o, _task(t), provider="kling"),
            None,
            gives_its_owner_nothing=True,
        ),
        Case(lambda s, o, m, t: s.intents.adopt_task(o, _NEW_TASK, provider="kling"), OWN),
    ),
    "generations.get": (Case(lambda s, o, m, t: s.generations.get(o, t.archived.id), None),),
    "generations.find_by_key": (
        Case(lambda s, o, m, t: s.generations.find_by_key(o, str(t.waiting.idempotency_key)), None),
    ),
    "generations.get_by_external_id": (
        Case(
            lambda s, o, m, t: s.generations.get_by_external_id(o, t.archived.external_task_id),
            None,
        ),
    ),
    "generations.get_by_task_id": (
        Case(
            lambda s, o, m, t: s.generations.get_by_task_id(o, str(t.archived.task_id)),
            None,
        ),
    ),
    "generations.history": (Case(lambda s, o, m, t: s.generations.history(o, t.archived.id), ()),),
    "generation_lists.list": (
        Case(lambda s, o, m, t: s.generation_lists.list(o), OWN),
        Case(lambda s, o, m, t: s.generation_lists.list(o, active_only=True, text=WORD), OWN),
    ),
    "generation_lists.counts_since": (
        Case(lambda s, o, m, t: sum(s.generation_lists.counts_since(o, LONG_AGO).values()), 3),
    ),
    "generation_lists.models": (Case(lambda s, o, m, t: s.generation_lists.models(o), OWN),),
    "generations.cancel": (Case(lambda s, o, m, t: s.generations.cancel(o, t.waiting.id), False),),
    "generation_lists.delete": (
        Case(lambda s, o, m, t: s.generation_lists.delete(o, t.archived.id), False),
    ),
    "generation_lists.restore": (
        Case(lambda s, o, m, t: s.generation_lists.restore(o, t.deleted_generation), REFUSED),
    ),
    "expected_pictures.fetch_again": (
        Case(
            lambda s, o, m, t: s.expected_pictures.fetch_again(
                o, t.unread.id, if_ended_as=UNREADABLE
            ),
            False,
        ),
    ),
    "gallery.list_pictures": (
        Case(lambda s, o, m, t: s.gallery.list_pictures(o), OWN),
        Case(lambda s, o, m, t: s.gallery.list_pictures(o, text=WORD, favourite=False), OWN),
    ),
    "gallery.page_of_pictures": (
        Case(lambda s, o, m, t: s.gallery.page_of_pictures(o, number=1, size=9), OWN),
        Case(
            lambda s, o, m, t: s.gallery.page_of_pictures(
                o, number=1, size=9, order="favourites", text=WORD, favourite=False
            ),
            OWN,
        ),
    ),
    "gallery.count_pictures": (
        Case(lambda s, o, m, t: s.gallery.count_pictures(o), 1),
        Case(lambda s, o, m, t: s.gallery.count_pictures(o, text=WORD), 1),
    ),
    "gallery.get": (Case(lambda s, o, m, t: s.gallery.get(o, t.picture), None),),
    "gallery.set_favourite": (
        Case(lambda s, o, m, t: s.gallery.set_favourite(o, t.picture, True), REFUSED),
    ),
    "gallery.delete_pictures": (
        Case(lambda s, o, m, t: s.gallery.delete_pictures(o, [t.picture]), 0),
        Case(lambda s, o, m, t: s.gallery.delete_pictures(o, [m.picture, t.picture]), 1),
    ),
    "gallery.restore_pictures": (
        Case(lambda s, o, m, t: s.gallery.restore_pictures(o, [t.deleted_picture]), 0),
    ),
    "people.attached": (Case(lambda s, o, m, t: list(s.people.attached(o)), OWN),),
    "people.erase": (Case(lambda s, o, m, t: s.people.erase(o)["pictures"], 2),),
    "people.open_work": (Case(lambda s, o, m, t: s.people.open_work(o), 2),),
    "people.picture_names": (Case(lambda s, o, m, t: s.people.picture_names(o), OWN),),
    "people.rows": (Case(lambda s, o, m, t: list(s.people.rows(o)), OWN),),
}

# Methods that know no owner: the studio's own work, which no page or call reaches with an id that
# somebody sent. Each says why nobody's rows come to another through it.
_LEASED = "the worker's step on a row it has leased"
_MANY = "the process's own work on everyone's rows; only a number comes back"
_ALL_AT_ONCE = "backups and moves, by whoever runs the studio; no page or call reaches it"
_OWN_VALUES = "the studio's own values by key: settings, passes, what it has learned"
_FILTERED = "a LedgerFilter says whose; whoever runs the studio sees what all of it costs"
_SETTLED = "whoever reserved a line settles it, by its id"
OWNERLESS: dict[str, str] = {
    "alone": "a lock on all of the database, and no row of anyone",
    "check_writable": "no row of anyone",
    "copies.claim": "whoever copies a store copies everybody's",
    "people.owners": "whoever runs the command line is told who there is",
    "generations.suppose_sent": "whoever restores a backup restores everybody's",
    "key_values.remove_in": "a part of the transaction of whoever keeps the key",
    "close": "no row of anyone",
    "open": "no row of anyone",
    "note_times": "no row of anyone",
    "notifications.close": "no row of anyone",
    "notifications.send": "hands on what the relay of answers says",
    "notifications.start": "hands on what the relay of answers says",
    "copies.archived": _ALL_AT_ONCE,
    "copies.copy_to": _ALL_AT_ONCE,
    "copies.counts": _MANY,
    "copies.damaged_rows": "keys and hashes of damaged rows, for whoever runs the studio",
    "copies.has_leases": _MANY,
    "copies.has_file_row": "a backup's, with the id of a row that it has just read",
    "copies.open_generations": _ALL_AT_ONCE,
    "copies.snapshot": _ALL_AT_ONCE,
    "copies.sounds": _ALL_AT_ONCE,
    "conversations.purge": _MANY,
    "running_answers.interrupt_others": _MANY,
    "running_answers.held": _MANY,
    "running_answers.interrupt_held": _MANY,
    "running_answers.save_final": "the runner's step on answers of its own process",
    "running_answers.save_running": "the runner's step on answers of its own process",
    "posted_chats.begin": "each PostedChat names its owner, and becomes a conversation of its own",
    "search_index.catch_up": "nothing comes back; `search.find` asks for the owner",
    "search_index.waiting": _MANY,
    "expected_pictures.add": _LEASED,
    "expected_pictures.expect": _LEASED,
    "expected_pictures.of": _LEASED,
    "expected_pictures.fail": _LEASED,
    "generations.load": _LEASED,
    "generations.mark_sending": _LEASED,
    "generations.move": _LEASED,
    "generations.unmark_sending": _LEASED,
    "generation_lists.counts": _MANY,
    "generation_lists.finished_durations": "seconds, for estimates: the account's tasks'",
    "generation_lists.slots_in_flight": "what the account has in flight, whosever it is",
    "generation_lists.purge": _MANY,
    "generations.references": "asked with the id of a row that its owner was given just before",
    "generation_lists.standings": _MANY,
    "ledger.add": "a line that was found; it names its owner",
    "ledger.budgets": "the studio's budgets; the pages show them to whoever runs it",
    "ledger.correct": "reconciling, with the id of a line that it has just read",
    "ledger.dearest": _FILTERED,
    "ledger.every": _FILTERED,
    "ledger.list": _FILTERED,
    "ledger.of_task": "reconciling: whose a task is, is what it asks",
    "ledger.open_totals": _MANY,
    "ledger.reserve": "the reservation's line names its owner",
    "ledger.reserve_in": "the reservations' lines name their owners",
    "ledger.sums": _FILTERED,
    "ledger.settle": _SETTLED,
    "ledger.settle_in": _SETTLED,
    "ledger.settle_left": _MANY,
    "leases.held": _MANY,
    "leases.end": _LEASED,
    "leases.free": _LEASED,
    "leases.claim_due": "the worker takes what is due, whosever it is",
    "leases.release": _LEASED,
    "leases.renew": _LEASED,
    "leases.take_over": _MANY,
    "gallery.deleted_pictures": "housekeeping: the files to remove, whosever they were",
    "gallery.forget_pictures": "housekeeping: rows whose files it has removed",
    "key_values.get": _OWN_VALUES,
    "key_values.remove": _OWN_VALUES,
    "key_values.replace": _OWN_VALUES,
    "key_values.set": _OWN_VALUES,
    "key_values.set_in": _OWN_VALUES,
    "key_values.value_in": _OWN_VALUES,
    "key_values.starting_with": _OWN_VALUES,
    "key_values.secret": _OWN_VALUES,
    "key_values.swap": _OWN_VALUES,
    "key_values.take": _OWN_VALUES,
    "lineage.purge": _MANY,
    "expiry.expire": "housekeeping, for a whole group of owners; only a number comes back",
}
