"""The backup before a migration: what is in it, when it is made, and what happens without it."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from core.errors import StoreError
from core.storage.db.backup import KEPT, backups
from core.storage.db.database import Database
from core.storage.db.migrate import migrate
from core.storage.db.migrations import MIGRATIONS
from core.storage.store import Store
from core.texts.catalogue import LANGUAGES

NOW = datetime(2026, 11, 28, 8, 15, tzinfo=UTC)
NEXT = len(MIGRATIONS) + 1
ROOT = Path(__file__).parents[3]


def m999_next(connection: Connection) -> None:
    """Change something that shows."""
    connection.exec_driver_sql("CREATE TABLE of_the_next_version (id INTEGER)")


def go_on(path: Path, now: datetime = NOW) -> None:
    """Open the database as the next version of the app would."""
    database = Database(path, busy_timeout_s=5)
    try:
        migrate(database, now=now, migrations=(*MIGRATIONS, m999_next))
    finally:
        database.close()


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT max(number) FROM schema_migrations").fetchone()[0])


def titles_in(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT title FROM conversations ORDER BY title").fetchall()
    return [row[0] for row in rows]


def fill(path: Path, *titles: str) -> Path:
    store = Store.open(path)
    for title in titles:
        store.conversations.create("ada", title=title)
    store.close()
    return path


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    return fill(tmp_path / "inkling.db", "one", "二")


def test_a_backup_is_made_of_the_version_before(filled: Path) -> None:
    go_on(filled)
    backup = filled.with_name(f"inkling.db.before-v{NEXT}.20261128T081500Z.bak")
    assert backups(filled) == [backup]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert titles_in(backup) == titles_in(filled) == ["one", "二"]
    assert (version_of(backup), version_of(filled)) == (NEXT - 1, NEXT)
    assert sorted(path.name for path in filled.parent.iterdir()) == [
        "inkling.db",
        backup.name,
        "inkling.db.lock",
    ]


def test_what_stands_in_the_wal_alone_is_in_the_backup(tmp_path: Path) -> None:
    path = tmp_path / "inkling.db"
    still_open = Store.open(path)
    still_open.conversations.create("ada", title="only in the WAL")
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as without_wal:
        assert not without_wal.execute("SELECT * FROM sqlite_schema").fetchall()
    go_on(path)
    assert titles_in(backups(path)[0]) == ["only in the WAL"]
    still_open.close()


def test_a_database_that_cannot_have_a_wal_is_backed_up_too(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network folders allow none; SQLite then stays with its rollback journal."""
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    monkeypatch.setattr("core.storage.db.database._use_wal", lambda connection, timeout_s: None)
    go_on(filled)
    assert titles_in(backups(filled)[0]) == ["one", "二"]
    assert version_of(filled) == NEXT


def test_no_backup_is_made_where_nothing_is_to_be_changed_or_lost(tmp_path: Path) -> None:
    path = fill(tmp_path / "inkling.db")
    fill(path, "one")
    assert backups(path) == []


def test_the_last_three_are_kept_and_nothing_else_is_touched(filled: Path) -> None:
    strangers = [
        filled.with_name(name)
        for name in (
            "inkling.db.bak",
            "inkling.db.before-v1.bak",
            "inkling.db.before-vx.20200101T000000Z.bak",
            "inkling.db.before-v1.20200101T000000Z.bak.mine",
            "my-inkling.db.before-v1.20200101T000000Z.bak",
            "inkling.db2.before-v1.20200101T000000Z.bak",
        )
    ]
    earlier = [
        filled.with_name(f"inkling.db.before-v{version}.2024010{day}T000000Z.bak")
        for version, day in ((1, 4), (12, 1), (3, 2), (3, 3))
    ]
    killed = filled.with_name("inkling.db.before-v3.20240104T000000Z.bak.part")
    for path in (*strangers, *earlier, killed):
        path.write_text("kept\n")
    go_on(filled)
    made = filled.with_name(f"inkling.db.before-v{NEXT}.20261128T081500Z.bak")
    assert backups(filled) == [made, earlier[0], earlier[3]]
    assert len(backups(filled)) == KEPT
    assert all(path.read_text() == "kept\n" for path in strangers)
    assert not killed.exists()


def test_a_clock_set_back_does_not_cost_the_backup_just_made(filled: Path) -> None:
    for day in (1, 2, 3):
        filled.with_name(f"inkling.db.before-v1.2030010{day}T000000Z.bak").touch()
    go_on(filled)
    assert [path.name[-20:] for path in backups(filled)] == [
        "20300103T000000Z.bak",
        "20300102T000000Z.bak",
        "20261128T081500Z.bak",
    ]


def test_a_migration_that_fails_is_tried_again_behind_another_backup(filled: Path) -> None:
    def m999_fails(connection: Connection) -> None:
        m999_next(connection)
        connection.exec_driver_sql("SELECT nonsense")

    database = Database(filled, busy_timeout_s=5)
    with pytest.raises(StoreError):
        migrate(database, now=NOW, migrations=(*MIGRATIONS, m999_fails))
    database.close()
    assert version_of(filled) == NEXT - 1
    go_on(filled, NOW + timedelta(seconds=1))
    assert len(backups(filled)) == 2
    assert version_of(filled) == NEXT


# Without a backup nothing begins


def refused(path: Path) -> StoreError:
    """Open as the next version would, and be refused; nothing has changed by that."""
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"Nothing was changed") as caught:
        go_on(path)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir() if "before" in one.name] == []
    sentences = {caught.value.sentence(language) for language in LANGUAGES}
    assert len(sentences) == len(LANGUAGES)
    assert all(str(path.parent) in sentence for sentence in sentences)
    return caught.value


def test_a_full_disk_is_told_and_the_next_start_tries_again(small_disk: Path) -> None:
    path = fill(small_disk / "inkling.db", *("长" * 300 for _ in range(20)))
    ballast = small_disk / "ballast"
    room = os.statvfs(small_disk)
    ballast.write_bytes(b"\0" * (room.f_bavail * room.f_bsize - 200_000))
    error = refused(path)
    assert error.text_id == "error.backup_full"
    assert error.facts == {"place": str(small_disk)}
    ballast.unlink()
    go_on(path)
    assert len(titles_in(backups(path)[0])) == 20
    assert version_of(path) == NEXT


@pytest.fixture
def somebodys_folder() -> Iterator[Path]:
    """A folder below one that everybody may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="inkling-backup-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from core.errors import StoreError
from tests.unit.storage.test_backup import go_on
if os.geteuid() == 0:
    os.seteuid(65534)  # modes do not bind root
try:
    go_on(Path(sys.argv[1]))
except StoreError as error:
    print(error.text_id, error.detail)
"""


def test_a_folder_that_takes_no_new_file_is_told(somebodys_folder: Path) -> None:
    path = fill(somebodys_folder / "inkling.db", "one")
    still_open = sqlite3.connect(path)  # so that the files beside it are there already
    assert still_open.execute("SELECT count(*) FROM conversations").fetchone() == (1,)
    for file in somebodys_folder.iterdir():
        file.chmod(0o666)
    somebodys_folder.chmod(0o555)
    said = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert said.stdout == "error.backup_readonly EACCES\n", said.stderr
    still_open.close()
    assert version_of(path) == NEXT - 1
    somebodys_folder.chmod(0o755)
    go_on(path)
    assert titles_in(backups(path)[0]) == ["one"]


def test_a_damaged_database_is_left_as_it_is(filled: Path) -> None:
    fill(filled, *(f"{number} {'x' * 500}" for number in range(200)))
    with closing(sqlite3.connect(filled)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'conversations'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with filled.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * 64)
    assert refused(filled).text_id == "error.backup_broken"


TOGETHER = """
import sys
from pathlib import Path
from tests.unit.storage.test_backup import go_on
print("ready", flush=True)
sys.stdin.readline()
go_on(Path(sys.argv[1]))
"""


def test_processes_that_start_together_make_one_backup(filled: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TOGETHER, str(filled)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert len(backups(filled)) == 1
    assert version_of(filled) == NEXT
    assert titles_in(backups(filled)[0]) == ["one", "二"]
