"""A store that is being filled serves nobody: half of it would be shown, and changed, as whole."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.archive.archive import Archive
from core.archive.backup_places import BackupPlace
from core.errors import StoreError
from core.settings import Settings
from core.storage.store import Store
from core.work.maintenance.backup import make_backup
from core.work.maintenance.restore import restore_backup
from core.work.studio import Studio
from tests.unit.maintenance.contents import files_of, paint, rows_of

ANN = "user:ann@example.com"


@pytest.fixture
def filled(store: Store, archive: Archive) -> Store:
    for number in range(3):
        store.conversations.create(ANN, title=f"题 {number}")
        paint(store, archive, ANN, number)
    return store


def test_after_a_copy_was_cut_nobody_works_there_until_it_has_ended(
    filled: Store, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    target = Store.open(data / "inkling.sqlite3")

    def cut(table: str, _rows: int) -> None:
        if table == "generations":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filled.copies.copy_to(target.copies, tell=cut)
    target.close()
    for opened in (
        lambda: Store.open(data / "inkling.sqlite3"),
        lambda: Studio.open(Settings(data_dir=data)),
    ):
        with pytest.raises(StoreError) as caught:
            opened()
        assert caught.value.text_id == "error.store_unfinished"
        assert caught.value.facts["source"] == filled.place
    target = Store.open(data / "inkling.sqlite3", may_be_unfinished=True)
    filled.copies.copy_to(target.copies)
    target.close()
    whole = Store.open(data / "inkling.sqlite3")
    assert rows_of(whole) == rows_of(filled)
    whole.close()


def test_while_pictures_come_back_nobody_works_there(
    filled: Store, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = BackupPlace(str(tmp_path / "backups"))
    first = make_backup(filled, archive, place, work_dir=tmp_path)
    other = Store.open(tmp_path / "other.sqlite3")
    pictures = Archive.open(tmp_path / "other")

    def full(_self: Archive, _name: str, _source: object) -> None:
        raise StoreError("error.store_full", facts={"place": "here"})

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "keep_from", full)
        with pytest.raises(StoreError):
            restore_backup(other, pictures, place, first.name, work_dir=tmp_path)
    with pytest.raises(StoreError) as caught:
        Store.open(tmp_path / "other.sqlite3")
    assert caught.value.text_id == "error.store_unfinished"
    # No row has come yet: another backup may be taken instead.
    (tmp_path / "backups" / first.name).rename(tmp_path / "backups" / "inkling-other.tar")
    restore_backup(other, pictures, place, "inkling-other.tar", work_dir=tmp_path)
    assert (rows_of(other), files_of(pictures)) == (rows_of(filled), files_of(archive))
    other.close()
    Store.open(tmp_path / "other.sqlite3").close()


def test_rows_of_another_source_are_never_overwritten(
    filled: Store, open_store: Callable[..., Store], tmp_path: Path
) -> None:
    target = Store.open(tmp_path / "target.sqlite3")

    def cut(table: str, _rows: int) -> None:
        if table == "conversations":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filled.copies.copy_to(target.copies, tell=cut)
    before = rows_of(target)
    with pytest.raises(StoreError) as caught:
        filled.copies.copy_to(target.copies, origin="elsewhere")
    assert caught.value.text_id == "error.copy_not_empty"
    assert rows_of(target) == before
    target.close()
