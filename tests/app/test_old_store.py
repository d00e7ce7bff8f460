"""The first start after an update, as a person sees it."""

import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.storage.db.backup import backups
from tests.app.sidebar import listed
from tests.app.test_chat_page import button
from tests.unit.storage.old_stores import VERSIONS, lay_down


def test_no_room_for_the_backup_is_told_and_tried_again(
    app: AppTest, data_dir: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INKLING_DATA_DIR", str(small_disk))
    database = lay_down(VERSIONS[0], small_disk / "inkling.sqlite3")
    room = os.statvfs(small_disk)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * (room.f_bavail * room.f_bsize - 130_000))
    app.run()
    assert f"There is no room in {small_disk} for the backup" in app.error[0].value
    assert not app.exception
    ballast.unlink()
    button(app, "Try again").click().run()  # type: ignore[attr-defined]
    assert not app.error
    assert not app.exception
    assert "分支 branches" in [row["title"] for row in listed(app)]
    assert len(backups(database)) == 1
