"""What earlier versions wrote, opened and imported by this one: nothing lost, nothing mixed up."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.models.chat import AnswerStatus
from core.models.generations import GenerationStatus, ImageRequest
from core.storage.db.backup import backups
from core.storage.db.migrations import MIGRATIONS
from core.storage.store import Store
from tests.unit.storage.old_stores import (
    DATA,
    VERSIONS,
    lay_down,
    number_of,
    schema_of,
    tables_in,
)

LOCAL = "local"

every_version = pytest.mark.parametrize("version", VERSIONS)


def read(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def conversations_of(payload: Any) -> dict[str, Any]:
    return {one["id"]: one for one in payload["conversations"]}


def kept(old: Any, new: Any) -> Any:
    """Return of what is told today that which the old version told as well."""
    if isinstance(old, dict):
        return {name: kept(value, new.get(name)) for name, value in old.items()}
    if isinstance(old, list):
        assert len(old) == len(new)
        return [kept(one, other) for one, other in zip(old, new, strict=True)]
    return new


def test_every_schema_there_was_is_kept_here() -> None:
    earlier = {f"v{number}" for number in range(1, len(MIGRATIONS))}
    assert earlier <= set(VERSIONS), "README.md beside the data says how one is made"


def test_the_old_stores_hold_what_can_get_lost() -> None:
    for version in VERSIONS:
        told = read(f"{version}.reads.json")
        sql = (DATA / f"{version}.sql").read_text(encoding="utf-8")
        assert all(f"'{status}'" in sql for status in (*AnswerStatus, *GenerationStatus))
        assert all(owner["conversations"] and owner["generations"] for owner in told.values())


@every_version
def test_an_old_store_keeps_every_row(version: str, tmp_path: Path) -> None:
    path = lay_down(version, tmp_path / "inkling.sqlite3")
    before = tables_in(path)
    Store.open(path).close()
    after = tables_in(path, before)
    columns, migrations = after.pop("schema_migrations")
    assert columns == ["number", "name", "applied_at"]
    assert [row[:2] for row in sorted(migrations)] == [
        (number, migration.__name__) for number, migration in enumerate(MIGRATIONS, 1)
    ]
    assert set(before.pop("schema_migrations")[1]) <= set(migrations)
    assert after == before
    assert len(before) >= 8
    assert all(rows for _, rows in before.values())


@every_version
def test_an_old_store_tells_what_it_told_before(version: str, tmp_path: Path) -> None:
    store = Store.open(lay_down(version, tmp_path / "inkling.sqlite3"))
    for owner, told in read(f"{version}.reads.json").items():
        assert told == told_by(store, owner, told["found"])
        store.search_index.catch_up()
        assert told["found"] == found_by(store, owner, told["found"])
    assert store.key_values.get("kling.slots") == {"learned": 5, "说明": [1.5, None, True]}
    store.close()


@every_version
def test_what_an_old_store_made_are_pictures(version: str, tmp_path: Path) -> None:
    path = lay_down(version, tmp_path / "inkling.sqlite3")
    with closing(sqlite3.connect(path)) as connection, connection:
        name = "slots.kling" if number_of(version) < 4 else "slots.kling.image"
        learned = (name, '{"accepted":3,"refused":4}')
        connection.execute("INSERT INTO key_values VALUES (?, ?)", learned)
    store = Store.open(path)
    for owner in read(f"{version}.reads.json"):
        for one in store.generation_lists.list(owner, limit=50).items:
            assert (one.kind, type(one.request)) == ("image", ImageRequest)
    assert store.generation_lists.slots_in_flight("kling") == {"image": 4}
    assert store.key_values.get("slots.kling.image") == {"accepted": 3, "refused": 4}
    store.close()
    _, counted = tables_in(path, {"generations": (["kind", "n", "slots"], [])})["generations"]
    assert {n for _, n, _ in counted} == {1, 2, 3}
    assert all(row == ("image", row[1], row[1]) for row in counted)


def told_by(store: Store, owner: str, words: dict[str, Any]) -> dict[str, Any]:
    conversations = store.conversations.list(owner).items
    generations = store.generation_lists.list(owner, limit=50).items
    return {
        "conversations": [one.id for one in conversations],
        "paths": {
            one.id: [
                [
                    message.id,
                    message.status,
                    message.content,
                    message.version,
                    message.version_count,
                ]
                for message in store.messages.path(owner, one.id)
            ]
            for one in conversations
        },
        "generations": [
            [one.id, one.status, one.request.prompt, one.error_text_id] for one in generations
        ],
        "histories": {
            one.id: [event.status for event in store.generations.history(owner, one.id)]
            for one in generations
        },
        "pictures": [
            [one.picture.name, one.picture.favourite]
            for one in store.gallery.list_pictures(owner).items
        ],
        "found": found_by(store, owner, words),
    }


def found_by(store: Store, owner: str, words: dict[str, Any]) -> dict[str, Any]:
    return {
        word: sorted(hit.snippet for hit in store.search.find(owner, word).items) for word in words
    }


@every_version
def test_work_goes_on_in_an_old_store(version: str, tmp_path: Path) -> None:
    path = lay_down(version, tmp_path / "inkling.sqlite3")
    _, conversations = tables_in(path, {"conversations": (["id", "deleted_at"], [])})[
        "conversations"
    ]
    (hidden,) = (str(row[0]) for row in conversations if row[1] is not None)
    _, pictures = tables_in(path, {"pictures": (["id", "deleted_at"], [])})["pictures"]
    (hidden_picture,) = (str(row[0]) for row in pictures if row[1] is not None)
    store = Store.open(path)
    store.conversations.restore(LOCAL, hidden)
    assert [message.content for message in store.messages.path(LOCAL, hidden)] == [
        "还能恢复吗",
        "能",
    ]
    assert store.gallery.restore_pictures(LOCAL, [hidden_picture]) == 1
    (drawn,) = store.generation_lists.list(LOCAL, text="一只猫").items
    reference, *behind = store.generations.references(drawn.id)
    assert len(behind) == (number_of(version) >= 8)  # several go with one since then
    assert reference.content == b"\x89PNG\r\n\x1a\n\x00\xff" + "参考".encode()
    (written,) = store.generation_lists.list(LOCAL, text="只写下来").items
    again = store.intents.create(
        LOCAL, written.request, provider=written.provider, idempotency_key="ключ-1"
    )
    assert again.id == written.id, "the same key is still the same task"
    ended = store.running_answers.interrupt_others("me")
    assert ended == 1, "the answer that was being written when the old version ended"
    store.close()


@every_version
def test_beside_an_old_store_stands_what_its_version_reads(version: str, tmp_path: Path) -> None:
    path = lay_down(version, tmp_path / "inkling.sqlite3")
    before, schema = tables_in(path), schema_of(path)
    for _ in range(2):
        Store.open(path).close()
    made = backups(path)
    assert len(made) == int(version != f"v{len(MIGRATIONS)}")
    for backup in made:
        assert (tables_in(backup), schema_of(backup)) == (before, schema)


@every_version
def test_an_old_store_is_exported_as_it_was(version: str, tmp_path: Path) -> None:
    store = Store.open(lay_down(version, tmp_path / "inkling.sqlite3"))
    old = conversations_of(read(f"{version}.export.json"))
    new = conversations_of(json.loads(b"".join(store.exports.pieces(LOCAL))))
    assert kept(old, new) == old
    assert new.keys() == old.keys()
    store.close()


@every_version
def test_an_old_export_is_imported_whole(version: str, open_store: Callable[..., Store]) -> None:
    store = open_store()
    file = DATA / f"{version}.export.json"
    old = conversations_of(read(file.name))
    with file.open("rb") as opened:
        result = store.imports.import_file("user:ada", opened)
    assert (result.added, result.skipped) == (len(old), 0)
    assert result.messages_added == sum(len(one["messages"]) for one in old.values())
    for conversation in old.values():
        conversation["origin"] = "import"
        for message in conversation["messages"]:
            if message["status"] == "running":  # nobody writes on it here
                message["status"] = "interrupted"
    new = conversations_of(store.exports.conversations("user:ada"))
    assert kept(old, new) == old
    assert store.conversations.count(LOCAL) == 0
