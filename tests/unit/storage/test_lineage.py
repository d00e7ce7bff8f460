"""The lineage of pictures: whole from either end, whatever became of the other one."""

import io
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from core.errors import InputError
from core.models.generations import GenerationStatus, ImageRequest
from core.models.lineage import DrawnFrom
from core.models.money.ledger import LedgerLine, LineState, Reservation, Settlement
from core.storage.lineage import told
from core.storage.money.book import Settle
from core.storage.money.filters import LedgerFilter
from core.storage.store import Store
from tests.conftest import Clock

S = GenerationStatus
REQUEST = ImageRequest("墨竹 ink bamboo", negative_prompt="blur", aspect_ratio="3:4", n=2)


def said(store: Store, owner: str = "ada") -> tuple[str, str]:
    """Return a conversation, and a message in it."""
    conversation = store.conversations.create(owner, title="竹子")
    message = store.messages.add(
        owner, conversation.id, role="user", content="draw bamboo", parent_id=None
    )
    return conversation.id, message.id


def drawn(store: Store, message_id: str, owner: str = "ada") -> str:
    """Return a generation that was drawn from a message, and has ended."""
    made = store.intents.create(owner, REQUEST, provider="practice", message_id=message_id)
    store.generations.move(made.id, to=S.REFUSED, expect=set(S))
    return made.id


def under(store: Store, message_id: str, owner: str = "ada") -> list[tuple[str, str]]:
    return [(one.link.generation_id, one.whereabouts) for one in listed(store, message_id, owner)]


def listed(store: Store, message_id: str, owner: str = "ada") -> tuple[DrawnFrom, ...]:
    return store.lineage.drawn_from(owner, [message_id]).get(message_id, ())


def bring_in(store: Store, payload: object, owner: str = "ada") -> None:
    store.imports.import_file(owner, io.BytesIO(json.dumps(payload).encode()))


def test_both_ends_know_each_other(store: Store) -> None:
    conversation, message = said(store)
    first, second = drawn(store, message), drawn(store, message)
    assert under(store, message) == [(first, "here"), (second, "here")]
    generation = listed(store, message)[0].generation
    assert generation is not None
    assert generation.request == REQUEST
    origin = store.lineage.origins("ada", [first])[first]
    assert (origin.message_id, origin.conversation_id, origin.title) == (
        message,
        conversation,
        "竹子",
    )


def test_what_is_no_message_of_ones_own_has_no_pictures(store: Store) -> None:
    _, theirs = said(store, "eve")
    conversation, own = said(store)
    store.conversations.delete("ada", conversation)
    for message in (theirs, own, "nowhere"):
        with pytest.raises(InputError) as refused:
            drawn(store, message)
        assert refused.value.text_id == "error.message_gone"
    assert store.generation_lists.list("ada").items == ()


def test_a_repeat_under_a_key_ties_nothing_twice(store: Store) -> None:
    _, message = said(store)
    first, again = (
        store.intents.create(
            "ada", REQUEST, provider="practice", message_id=message, idempotency_key="k"
        )
        for _ in range(2)
    )
    assert first.id == again.id
    assert len(under(store, message)) == 1


def test_a_deleted_conversation_leaves_the_picture_and_says_so(store: Store, clock: Clock) -> None:
    conversation, message = said(store)
    generation = drawn(store, message)
    store.conversations.delete("ada", conversation)
    assert store.lineage.origins("ada", [generation])[generation].conversation_id is None
    store.conversations.restore("ada", conversation)
    assert store.lineage.origins("ada", [generation])[generation].conversation_id == conversation
    store.conversations.delete("ada", conversation)
    store.conversations.purge(clock.advance(1))
    store.lineage.purge()
    assert store.messages.get("ada", message) is None
    origin = store.lineage.origins("ada", [generation])[generation]
    assert (origin.message_id, origin.conversation_id) == (message, None)


def test_a_deleted_picture_leaves_the_message_and_says_so(store: Store, clock: Clock) -> None:
    _, message = said(store)
    generation = drawn(store, message)
    store.generation_lists.delete("ada", generation)
    assert under(store, message) == [(generation, "deleted")]
    store.generation_lists.restore("ada", generation)
    assert under(store, message) == [(generation, "here")]
    store.generation_lists.delete("ada", generation)
    clock.now += timedelta(days=40)
    store.generation_lists.purge(clock())
    store.lineage.purge()
    assert under(store, message) == [(generation, "deleted")]
    # What was asked for went with the picture.
    assert listed(store, message)[0].link.request is None


def test_a_purge_leaves_what_files_told_others(store: Store, clock: Clock) -> None:
    conversation, message = said(store)
    generation = drawn(store, message)
    bring_in(store, store.exports.conversation("ada", conversation), "bob")
    copy = store.conversations.list("bob").items[0].head_id
    assert copy is not None
    store.generation_lists.delete("ada", generation)
    clock.now += timedelta(days=40)
    assert store.generation_lists.purge(clock()) == 1
    assert listed(store, message)[0].link.request is None
    assert listed(store, copy, "bob")[0].link.request == REQUEST


def test_a_file_ties_few_pictures_to_a_message_the_newest(store: Store, tmp_path: Path) -> None:
    conversation, message = said(store)
    drawn(store, message)
    payload = json.loads(json.dumps(store.exports.conversation("ada", conversation)))
    (one,) = payload["conversations"][0]["messages"][0]["pictures"]
    many = [one | {"generation_id": f"g{number:05}"} for number in range(5_000)]
    payload["conversations"][0]["messages"][0]["pictures"] = many
    other = Store.open(tmp_path / "other.db")
    bring_in(other, payload)
    kept = [one.link.generation_id for one in listed(other, message)]
    assert kept == [f"g{number:05}" for number in range(5_000 - told.LINKS_MOST, 5_000)]
    other.close()


def test_however_many_pictures_there_are_a_query_names_few(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "LINKS_MOST", 5_000)  # as a store may have from before
    conversation, message = said(store)
    generation = drawn(store, message)
    payload = json.loads(json.dumps(store.exports.conversation("ada", conversation)))
    asked = payload["conversations"][0]["messages"][0]
    (one,) = asked["pictures"]
    asked["pictures"] += [one | {"generation_id": f"g{number:05}"} for number in range(2_000)]
    store.conversations.delete("ada", conversation)
    store.conversations.purge(clock.advance(1))
    bring_in(store, payload)
    named: list[int] = []

    def note(*given: Any) -> None:
        *_, parameters, _, is_many = given
        named.append(0 if is_many else len(parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        found = listed(store, message)
        ids = [one.link.generation_id for one in found]
        origins = store.lineage.origins("ada", ids)
        forked = store.branches.fork("ada", conversation, message, "again")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(found) == len(origins) == 2_001
    assert [one.link.generation_id for one in found if one.whereabouts == "here"] == [generation]
    assert len(listed(store, forked.head_id or "")) == 2_001
    assert max(named) < 600


def test_without_both_ends_nothing_is_left(store: Store, clock: Clock) -> None:
    conversation, message = said(store)
    generation = drawn(store, message)
    store.generation_lists.delete("ada", generation)
    store.conversations.delete("ada", conversation)
    clock.now += timedelta(days=40)
    store.generation_lists.purge(clock())
    store.conversations.purge(clock())
    assert store.lineage.purge() == 1
    assert under(store, message) == []
    assert store.lineage.origins("ada", [generation]) == {}


def test_a_removed_turn_takes_its_pictures_along_and_back(store: Store) -> None:
    conversation, message = said(store)
    generation = drawn(store, message)
    removed = store.branches.remove_turn("ada", conversation, message)
    assert store.lineage.origins("ada", [generation])[generation].conversation_id is None
    store.branches.restore_turn("ada", removed)
    assert store.lineage.origins("ada", [generation])[generation].conversation_id == conversation


def test_a_fork_has_the_pictures_too(store: Store) -> None:
    conversation, message = said(store)
    generation = drawn(store, message)
    forked = store.branches.fork("ada", conversation, message, "again")
    assert forked.head_id is not None
    assert under(store, forked.head_id) == under(store, message) == [(generation, "here")]
    store.conversations.delete("ada", conversation)
    assert store.lineage.origins("ada", [generation])[generation].conversation_id == forked.id


def test_an_export_takes_it_to_another_store(store: Store, tmp_path: Path) -> None:
    conversation, message = said(store)
    generation = drawn(store, message)
    whole: Any = store.exports.conversation("ada", conversation)
    pieces = json.loads(b"".join(store.exports.pieces("ada")))
    for number, payload in enumerate((whole, pieces)):
        other = Store.open(tmp_path / f"other-{number}.db")
        bring_in(other, payload, "bob")
        assert under(other, message, "bob") == [(generation, "elsewhere")]
        assert listed(other, message, "bob")[0].link.request == REQUEST
        assert under(other, message) == []  # nobody else's
        again: Any = other.exports.conversation("bob", conversation)
        assert again["conversations"][0]["messages"] == whole["conversations"][0]["messages"]
        other.lineage.purge()
        other.close()
        reopened = Store.open(tmp_path / f"other-{number}.db")
        assert under(reopened, message, "bob") == [(generation, "elsewhere")]
        reopened.close()


def test_an_import_finds_the_picture_again_that_is_still_here(store: Store, clock: Clock) -> None:
    conversation, message = said(store)
    generation = drawn(store, message)
    payload = store.exports.conversation("ada", conversation)
    store.conversations.delete("ada", conversation)
    store.conversations.purge(clock.advance(1))
    bring_in(store, payload)
    bring_in(store, payload)  # once more changes nothing
    assert under(store, message) == [(generation, "here")]
    assert store.lineage.origins("ada", [generation])[generation].conversation_id == conversation


def test_ids_that_are_taken_are_mapped(store: Store) -> None:
    conversation, message = said(store)
    generation = drawn(store, message)
    bring_in(store, store.exports.conversation("ada", conversation), "bob")
    copy = store.conversations.list("bob").items[0]
    assert copy.id != conversation
    assert copy.head_id is not None
    assert copy.head_id != message
    # The picture is Ada's still, and Bob sees nothing of it but what the file said.
    assert under(store, copy.head_id, "bob") == [(generation, "elsewhere")]
    assert listed(store, copy.head_id, "bob")[0].generation is None
    assert under(store, message) == [(generation, "here")]


def test_the_line_of_a_picture_is_its_own_and_tells_of_the_message(
    store: Store, clock: Clock
) -> None:
    conversation, message = said(store)
    held = Reservation(
        LedgerLine(
            *("", clock(), "image", LineState.RESERVED, "kling", "kling-v3", "ada", "page"),
            *("page", "CNY", Decimal(1)),
        )
    )
    made = store.intents.create(
        "ada", REQUEST, provider="kling", message_id=message, reservation=held
    )
    (line,) = store.ledger.every(LedgerFilter())
    ids = (line.generation_id, line.message_id, line.conversation_id)
    assert ids == (made.id, message, conversation)

    def settled_left(*, paid: bool) -> int:
        def settle(_line: LedgerLine) -> Settlement:
            return Settlement(LineState.COMPUTED, Decimal(2))

        def by_message(_message_id: str) -> Settle:
            raise AssertionError("the line is the task's")

        wanted = {made.id: settle} if paid else {}
        later = clock.advance(3600)
        return store.ledger.settle_left(by_message, wanted.__getitem__, settle, before=later)

    assert settled_left(paid=False) == 0  # it is under way
    store.generations.move(made.id, to=S.REFUSED, expect=set(S))
    assert settled_left(paid=True) == 1


WRONG: list[tuple[str, Any]] = [
    ("generation_id", "no id at all"),
    ("generation_id", 7),
    ("created_at", "yesterday"),
    ("request", "a prompt"),
    ("request", {"prompt": 7}),
    ("request", {"prompt": "x", "n": "three"}),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_an_import_names_what_is_wrong_with_a_link(store: Store, field: str, value: Any) -> None:
    conversation, message = said(store)
    drawn(store, message)
    payload = json.loads(json.dumps(store.exports.conversation("ada", conversation)))
    payload["conversations"][0]["messages"][0]["pictures"][0][field] = value
    with pytest.raises(InputError) as refused:
        bring_in(store, payload, "bob")
    assert refused.value.text_id == "error.import_malformed"
    assert "pictures" in str(refused.value.facts["where"])
    assert store.conversations.list("bob").items == ()


def test_a_person_who_is_erased_takes_it_along(store: Store) -> None:
    _, message = said(store)
    generation = drawn(store, message)
    assert any(name == "picture_links" for name, _ in store.people.rows("ada"))
    store.people.erase("ada")
    assert not any(name == "picture_links" for name, _ in store.people.rows("ada"))
    assert store.lineage.origins("ada", [generation]) == {}
