"""Whether backups are made, and whether processes hear each other, as the Status page says it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.work.studio import Studio
from tests.app.test_checkup import status

Until = Callable[[Callable[[], bool]], None]


def test_status_says_when_the_last_backup_was_and_what_came_in_its_way(
    app: AppTest,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    studio: Callable[[], Studio],
    until: Until,
) -> None:
    monkeypatch.setenv("INKLING_BACKUP_TO", str(data_dir / "backups"))
    app.run()
    until(lambda: (last := studio().backups.last()) is not None and last.state == "made")
    told = status(app)
    assert "Last backup:" in told
    assert "One every 24 h; the newest 7 are kept." in told
    key = "backup.scheduled"
    value = studio().store.key_values.get(key)
    failed = {"state": "failed", "error_text_id": "error.store_full"}
    studio().store.key_values.set(key, value | failed | {"error_facts": {"place": "/backups"}})
    told = status(app)
    assert "failed" in told
    assert "/backups" in told
    assert "The last one that was made is of" in told


def test_without_a_place_for_backups_it_says_how_to_make_one(app: AppTest, data_dir: Path) -> None:
    app.run()
    told = status(app)
    assert "core.admin backup" in told
    # One file of SQLite: there is nothing to be heard.
    assert "Processes hear each other" not in told


@pytest.mark.postgres
def test_whether_processes_hear_each_other_is_told(
    app: AppTest,
    data_dir: Path,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    studio: Callable[[], Studio],
    until: Until,
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    app.run()
    until(lambda: studio().answers.relay.is_live)
    assert "Processes hear each other at once" in status(app)
    channel = studio().store.notifications
    monkeypatch.setattr(channel, "_hearing", "undelivered")
    assert "pooler in transaction mode" in status(app)
