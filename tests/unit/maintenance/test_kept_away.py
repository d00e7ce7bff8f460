"""While rows are moved or brought back no studio opens there, and one that works there is seen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.admin import backups
from core.admin.command import main
from core.archive.archive import Archive
from core.archive.backup_places import BackupPlace
from core.errors import StoreError
from core.settings import Settings
from core.settings.secret import Secret
from core.storage.copying.copies import Copies
from core.storage.store import Store
from core.work.maintenance.backup import make_backup
from core.work.maintenance.restore import restore_backup
from core.work.studio import Studio
from tests.unit.maintenance.contents import rows_of
from tests.waiting import until

ANN = "user:ann@example.com"
Main = Callable[..., tuple[int, str]]


def _settings(data: Path, url: str) -> Settings:
    return Settings(data_dir=data, database_url=Secret(url) if "postgres" in url else None)


@pytest.fixture
def url(store_url: str, tmp_path: Path) -> str:
    """The database of the studio at `tmp_path / "data"`, of either make."""
    return store_url if "postgres" in store_url else str(tmp_path / "data" / "inkling.sqlite3")


@pytest.fixture
def admin(
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Main:
    monkeypatch.setenv("INKLING_DATA_DIR", str(tmp_path / "data"))
    if "postgres" in url:
        monkeypatch.setenv("DATABASE_URL", url)

    def run(*arguments: str) -> tuple[int, str]:
        code = main(["--language", "en", *arguments])
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


@pytest.fixture
def filled(url: str) -> None:
    store = Store.open(url)
    store.conversations.create(ANN, title="海")
    store.close()


def _opening(data: Path, url: str) -> str:
    """Return why a studio cannot open; nothing where it can."""
    try:
        studio = Studio.open(_settings(data, url))
    except StoreError as error:
        return error.text_id
    studio.close()
    return ""


@pytest.mark.usefixtures("filled")
def test_a_studio_that_starts_during_a_move_does_not_open_on_either_side(
    url: str, admin: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "moved" / "inkling.sqlite3"
    real, told = Copies.copy_to, []

    def meanwhile(*arguments: Any, **options: Any) -> int:
        told.append(_opening(tmp_path / "data", url))
        told.append(_opening(tmp_path / "moved", ""))
        return real(*arguments, **options)

    monkeypatch.setattr(Copies, "copy_to", meanwhile)
    assert admin("move-database", str(target))[0] == 0
    assert told == ["error.store_moving", "error.store_moving"]
    before, after = Store.open(url), Store.open(target)
    assert rows_of(before) == rows_of(after)
    before.close()
    after.close()
    assert _opening(tmp_path / "data", url) == ""


@pytest.mark.usefixtures("filled")
def test_a_studio_that_starts_during_a_restore_does_not_open(
    url: str, admin: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Store.open(tmp_path / "other.sqlite3")
    other.conversations.create(ANN, title="back")
    place = BackupPlace(str(tmp_path / "backups"))
    made = make_backup(other, Archive.open(tmp_path / "other"), place, work_dir=tmp_path)
    other.close()
    emptied = Store.open(url)
    with emptied.copies._database.write() as writing:
        writing.exec_driver_sql("DELETE FROM conversations")
    emptied.close()
    told: list[Any] = []

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        told.append(_opening(tmp_path / "data", url))
        return restore_backup(*arguments, **options)

    monkeypatch.setattr(backups, "restore_backup", meanwhile)
    assert admin("restore", f"{place.place}/{made.name}")[0] == 0
    assert told == ["error.store_moving"]


@pytest.mark.usefixtures("filled")
def test_an_idle_studio_is_seen_by_a_move_and_by_a_restore(
    url: str, admin: Main, tmp_path: Path
) -> None:
    studio = Studio.open(_settings(tmp_path / "data", url))
    try:
        until(lambda: studio.store.notifications.state in ("off", "live"), "the studio listens")
        for command in (("move-database", str(tmp_path / "m.sqlite3")), ("restore", "b/x.tar")):
            code, told = admin(*command)
            assert (code, "in use by the studio" in told) == (1, True), told
    finally:
        studio.close()
    assert admin("move-database", str(tmp_path / "m.sqlite3"))[0] == 0


@pytest.mark.usefixtures("filled")
def test_what_was_written_meanwhile_by_whoever_was_not_seen_is_told_and_taken_by_a_second_run(
    url: str, admin: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a studio behind a pooler does, which can hold no lock."""
    unseen = Store.open(url)
    unseen._process_lock, lock = None, unseen._process_lock
    if lock is not None:
        lock.close()
    real = Copies.copy_to

    def meanwhile(source: Copies, target: Copies, **options: Any) -> int:
        def write(table: str, rows: int) -> None:
            if table == "conversations" and rows == 1:
                unseen.conversations.create(ANN, title="written meanwhile")

        return real(source, target, **(options | {"tell": write}))

    target = str(tmp_path / "m.sqlite3")
    with monkeypatch.context() as patch:
        patch.setattr(Copies, "copy_to", meanwhile)
        code, told = admin("move-database", target)
    assert (code, "Rows were written to" in told) == (1, True), told
    assert admin("move-database", target)[0] == 0
    moved = Store.open(target)
    assert rows_of(moved) == rows_of(unseen)
    moved.close()
    unseen.close()


def test_two_that_want_to_be_alone_are_refused_and_stay(
    open_store: Callable[..., Store],
) -> None:
    first, second = open_store(), open_store()
    if first.is_sqlite:
        for one in (first, second):
            with pytest.raises(StoreError) as caught, one.alone():
                raise AssertionError("two are not alone")
            assert caught.value.text_id == "error.copy_in_use"
        second.close()
    with first.alone(), pytest.raises(StoreError) as caught:
        open_store()
    assert caught.value.text_id == "error.store_moving"
    open_store()


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Practice alone: no key of this machine's is read."""
    for name in ("DEEPSEEK_API_KEY", "KLING_ACCESS_KEY", "KLING_SECRET_KEY", "KLING_API_KEY"):
        monkeypatch.delenv(name, raising=False)
