"""A process that is killed while it backs up and migrates: nothing lost, no half backup."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from core.storage.db.backup import backups
from core.storage.db.migrations import MIGRATIONS
from core.storage.store import Store
from tests.unit.storage.old_stores import VERSIONS, Tables, lay_down, tables_in

ROOT = Path(__file__).parents[2]
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def test_wherever_a_migration_is_killed_the_next_start_has_everything(tmp_path: Path) -> None:
    old = _old_store(tmp_path)
    before = tables_in(shutil.copytree(old, tmp_path / "looked-at") / "inkling.sqlite3")
    assert "only in the WAL" in str(before["key_values"])
    places = tmp_path / "places"
    places.mkdir()
    command = [sys.executable, "-m", "tests.crash.migration_runner", str(old), str(places)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    seen = {_ending(place, before) for place in sorted(places.iterdir())}
    assert seen == {
        "nothing done",
        "a backup begun",
        "a backup, not migrated",
        "a backup, migrated",
    }


def _old_store(tmp_path: Path) -> Path:
    """Make a store of the oldest version as a killed process leaves it: not all is in its file."""
    laid = lay_down(VERSIONS[0], tmp_path / "laid" / "inkling.sqlite3")
    with closing(sqlite3.connect(laid, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("INSERT INTO key_values VALUES ('where', '\"only in the WAL\"')")
        return shutil.copytree(
            laid.parent, tmp_path / "old", ignore=lambda *_: ["inkling.sqlite3-shm"]
        )


def _ending(place: Path, before: Tables) -> str:
    """Check that nothing is lost in what a killed process left; return how far it had come."""
    path = place / "inkling.sqlite3"
    finished = backups(path)
    parts = list(place.glob("*.part*"))
    for backup in finished:
        assert tables_in(backup) == before, f"{place.name}: half a backup"
    Store.open(path, clock=lambda: LATER).close()
    after = tables_in(path, before)
    numbers = [row[0] for row in after.pop("schema_migrations")[1]]
    assert numbers == list(range(1, len(MIGRATIONS) + 1)), place.name
    assert after == {name: of for name, of in before.items() if name != "schema_migrations"}
    assert not list(place.glob("*.part*")), place.name
    again = [one for one in backups(path) if one not in finished]
    for backup in again:
        assert tables_in(backup) == before
    assert finished or again, f"{place.name}: migrated without a backup"
    if parts:
        return "a backup begun"
    if not finished:
        return "nothing done"
    return "a backup, not migrated" if again else "a backup, migrated"
