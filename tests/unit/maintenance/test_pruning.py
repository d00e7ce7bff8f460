"""Pruning beside a studio at work: what is under way stays, and so does what is not ours."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from core.archive.archive import Archive
from core.errors import StoreError
from core.storage.db.schema import conversations
from core.storage.store import Store
from core.work.maintenance.pruning import prune
from tests.unit.maintenance.contents import files_of, paint, rows_of

ANN = "user:ann@example.com"
FOREIGN = ("0001.jpg", "2019/scan.png", ".DS_Store", "1 2.png", "thumbnails/0001.jpg.webp")


def test_what_is_under_way_stays_however_young_what_goes_is(store: Store, archive: Archive) -> None:
    download = archive.new_part()
    download.write_bytes(b"half a picture")
    visitor = store.conversations.create("visitor:now", title="asks")
    gone = store.conversations.create(ANN, title="gone")
    left = store.conversations.create(ANN, title="left")
    store.conversations.delete(ANN, gone.id)
    _touched(store, timedelta(0))
    prune(store, archive, older_than=timedelta(0))
    assert download.exists()
    assert {row["id"] for row in rows_of(store)["conversations"]} == {visitor.id, left.id}


def test_a_visitor_of_the_day_before_goes_as_by_itself(store: Store, archive: Archive) -> None:
    visitor = store.conversations.create("visitor:then", title="asked")
    _touched(store, timedelta(days=2))
    prune(store, archive, older_than=timedelta(days=7))
    assert visitor.id not in {row["id"] for row in rows_of(store)["conversations"]}


def _touched(store: Store, ago: timedelta) -> None:
    """Have every conversation be touched so long ago, by the clock on the wall."""
    with store._database.write() as connection:
        then = datetime.now(UTC) - ago
        connection.execute(update(conversations).values(updated_at=then))


def test_files_that_others_laid_there_are_left_alone(
    store: Store, archive: Archive, tmp_path: Path
) -> None:
    paint(store, archive, ANN, 1)
    ours = "2020/01/01/20200101T000000Z-abcdefabcdef-0.png"
    archive.keep(ours, b"no row speaks of it")
    root = Path(archive.place)
    for name in FOREIGN:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"somebody else's")
    assert prune(store, archive).files == 1
    assert all((root / name).exists() for name in FOREIGN)
    assert not archive.exists(ours)


def test_an_archive_of_which_the_rows_know_nothing_is_another_studios(
    open_another: Store, store: Store, archive: Archive
) -> None:
    name = paint(open_another, archive, ANN, 1)
    old = "2020/01/01/20200101T000000Z-abcdefabcdef-0.png"
    archive.keep(old, archive.original_bytes(name))
    before = files_of(archive)
    with pytest.raises(StoreError) as caught:
        prune(store, archive)
    assert caught.value.text_id == "error.prune_elsewhere"
    assert files_of(archive) == before


@pytest.fixture
def open_another(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "another.sqlite3")
