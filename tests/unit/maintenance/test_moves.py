"""Moves between databases and archives lose nothing, also when they are cut; a person's data."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.archive.archive import Archive
from core.errors import InputError, StoreError
from core.storage.copying import copier
from core.storage.store import Store
from core.work.maintenance.people import delete_person, export_person
from core.work.maintenance.picture_move import move_pictures
from core.work.maintenance.pruning import prune
from core.work.maintenance.verification import verify
from tests.unit.maintenance.contents import files_of, paint, rows_of
from tests.unit.storage.belongings import endow

ANN, BEN = "user:ann@example.com", "user:ben@example.com"


@pytest.mark.postgres
def test_there_and_back_every_row_is_the_same(
    sqlite_url: str, postgres_url: str, tmp_path: Path
) -> None:
    first = Store.open(sqlite_url)
    for number, owner in enumerate((ANN, BEN)):
        endow(first, owner, number)
    first.key_values.set("说明", {"a": [1.5, None, "\ud83d\ude00"]})
    between, last = Store.open(postgres_url), Store.open(tmp_path / "last.sqlite3")
    before = rows_of(first)
    first.copies.copy_to(between.copies)
    assert rows_of(between) == before
    between.copies.copy_to(last.copies)
    assert rows_of(last) == before
    assert all(before[name] for name in ("messages", "ledger_lines", "blobs", "picture_slots"))
    # What comes behind is numbered on, and found.
    for store in (between, last):
        made = store.conversations.create(ANN, title="新的")
        assert store.conversations.get(ANN, made.id) == made
        endow(store, ANN, 7)
        store.search_index.catch_up()
        assert store.search.find(ANN, "pine").items
        store.close()
    first.close()


def test_a_copy_that_was_cut_is_begun_again_and_takes_what_changed(
    open_store: Callable[..., Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    endow(store, ANN, 1)
    gone = store.conversations.create(BEN, title="goes")
    changed = store.conversations.create(BEN, title="before")
    target = Store.open(tmp_path / "target.sqlite3")
    told: list[str] = []

    def cut(table: str, _rows: int) -> None:
        told.append(table)
        if table == "generations":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.copies.copy_to(target.copies, tell=cut)
    assert "messages" not in told or rows_of(target)["messages"]
    store.conversations.delete(BEN, gone.id)
    store.conversations.purge(store.copies._clock())
    store.conversations.rename(BEN, changed.id, "after", manual=True)
    with pytest.raises(StoreError) as caught:  # what another source is being copied to
        store.copies.copy_to(target.copies, origin="elsewhere")
    assert caught.value.text_id == "error.copy_not_empty"
    store.copies.copy_to(target.copies)
    assert rows_of(target) == rows_of(store)
    with pytest.raises(StoreError):
        store.copies.copy_to(target.copies)
    target.close()


def test_a_row_that_did_not_arrive_as_it_was_is_found(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.conversations.create(ANN, title="one")
    target = Store.open(tmp_path / "target.sqlite3")
    real: Any = copier._copy_table

    def careless(*arguments: Any) -> int:
        copied: int = real(*arguments)
        if arguments[2].name == "conversations":
            with target.copies._database.write() as writing:
                writing.exec_driver_sql("UPDATE conversations SET title = 'two'")
        return copied

    monkeypatch.setattr(copier, "_copy_table", careless)
    with pytest.raises(StoreError) as caught:
        store.copies.copy_to(target.copies)
    assert caught.value.facts["table"] == "conversations"
    target.close()


def test_pictures_move_to_a_bucket_and_back_byte_by_byte(
    store: Store, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        paint(store, archive, ANN, number)
    bucket = Archive.open(tmp_path / "parts", url=f"memory://{tmp_path.name}/pictures")
    done = []

    def cut(number: int, _all: int) -> None:
        done.append(number)
        if len(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move_pictures(store, archive, bucket, tell=cut)
    moved = move_pictures(store, archive, bucket)
    assert moved.copied + moved.there == 20
    assert moved.there >= 2
    back = Archive.open(tmp_path / "back")
    assert move_pictures(store, bucket, back).copied == 20
    assert files_of(back) == files_of(bucket) == files_of(archive)
    assert verify(store, back).is_sound


def test_verify_names_each_kind_of_fault_and_prune_takes_what_has_no_row(
    store: Store, archive: Archive, tmp_path: Path
) -> None:
    lost, damaged, kept = (paint(store, archive, ANN, number) for number in range(3))
    archive.keep("2020/01/01/20200101T000000Z-abcdefabcdef-0.png", b"nobody's")
    archive.keep("2990/01/01/29900101T000000Z-abcdefabcdef-0.png", b"just arriving")
    archive.remove(lost)
    content = bytearray(archive.original_bytes(damaged))
    content[-20] ^= 1
    archive.keep(damaged, bytes(content))
    found = verify(store, archive)
    assert (found.missing, found.damaged) == ([lost], [damaged])
    assert len(found.unknown) == 2
    assert prune(store, archive).files == 1
    assert len(verify(store, archive).unknown) == 1
    assert archive.exists(kept)


def test_a_person_is_handed_out_whole_and_erased_without_a_trace(
    store: Store, archive: Archive, tmp_path: Path
) -> None:
    for number, owner in enumerate((ANN, BEN)):
        mine = endow(store, owner, number)
        name = paint(store, archive, owner, number)
        store.key_values.set(f"xray.kept.{owner}.{mine.answer}", {"at": "2026-11-29T00:00:00"})
        store.key_values.set(f"language.{owner}", "zh")
    while store.search_index.waiting():
        store.search_index.catch_up()
    bens = [row for row in store.people.rows(BEN)]
    path = tmp_path / "ann.zip"
    counts = export_person(store, archive, ANN, path)
    with zipfile.ZipFile(path) as file:
        names = set(file.namelist())
        assert len(json.loads(file.read("conversations.json"))["conversations"]) == 2
        everything = b"".join(file.read(one) for one in names)
        assert sum(one.startswith("pictures/") for one in names) == 1
        assert sum(one.startswith("attachments/") for one in names) == counts["attachments"] == 3
    assert b"ann@example.com" in everything
    assert b"ben@example.com" not in everything
    with pytest.raises(InputError) as caught:
        delete_person(store, archive, ANN)
    assert caught.value.text_id == "error.person_busy"
    with store.copies._database.write() as writing:  # its process is gone, its tasks have ended
        writing.exec_driver_sql("UPDATE messages SET status = 'stopped' WHERE status = 'running'")
        writing.exec_driver_sql(
            "UPDATE generations SET status = 'failed' WHERE status = 'intended'"
        )
    delete_person(store, archive, ANN)
    rows = rows_of(store)
    tokens = {"budget_totals": [r for r in rows["budget_totals"] if "|token|" not in str(r["key"])]}
    assert [t for t, r in (rows | tokens).items() if "ann@example.com" in str(r)] == []
    assert "ben@example.com" in str(rows)
    assert [name] == list(archive.names())
    assert len([row for row in store.people.rows(BEN)]) == len(bens)
    if (database := store.copies._database).file is not None:
        store.search_index.catch_up()
        left = b"".join(one.read_bytes() for one in database.file.parent.glob("inkling.db*"))
        assert b"@example.com" in left
        assert b"ann@example.com" not in left.replace(b"token|user:ann@", b"").lower()
    assert {"erased"} <= {row["owner"] for row in rows_of(store)["ledger_lines"]}
