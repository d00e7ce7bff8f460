"""People with names alike: what is handed out or erased of one is nothing of another's."""

import os
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from core.admin.conversations import export_conversations
from core.admin.telling import Telling
from core.archive.archive import Archive
from core.storage.store import Store
from core.work.maintenance.people import delete_person, export_person

SUBJECT = "0123456789abcdef" * 2
ALIKE = {
    "local": ["user:bob@host.local", "user:bob@mail.local.lan"],
    "user:bob@x.co": ["user:bob@x.co.uk", "user:jim.user:bob@x.co", "user:bobb@x.co"],
}


def _keys(owner: str) -> list[str]:
    mark = sha256(owner.encode()).hexdigest()[:16]
    return [
        f"arrangement.{owner}",
        f"language.{owner}.zh",
        f"language.{owner}.en",
        f"xray.kept.{owner}.{SUBJECT}",
        f"read_aloud_by.{mark}",
    ]


@pytest.mark.parametrize("owner", ALIKE)
def test_what_was_kept_for_one_person_is_theirs_alone(
    owner: str, store: Store, archive: Archive, tmp_path: Path
) -> None:
    for one in (owner, *ALIKE[owner]):
        for key in _keys(one):
            store.key_values.set(key, f"of {one}")
    told = [row for table, row in store.people.rows(owner) if table == "key_values"]
    assert sorted(row["key"] for row in told) == sorted(_keys(owner))
    delete_person(store, archive, owner)
    assert [store.key_values.get(key) for key in _keys(owner)] == [None] * 5
    for one in ALIKE[owner]:
        assert [store.key_values.get(key) for key in _keys(one)] == [f"of {one}"] * 5


def test_what_is_handed_out_nobody_else_on_the_machine_reads(
    store: Store, archive: Archive, tmp_path: Path
) -> None:
    before = os.umask(0o022)
    try:
        store.conversations.create("local", title="海")
        export_person(store, archive, "local", tmp_path / "me.zip")
        export_conversations(store, Telling("en"), "local", tmp_path / "me.json", "inkling")
    finally:
        os.umask(before)
    assert zipfile.ZipFile(tmp_path / "me.zip").testzip() is None
    for path in (tmp_path / "me.zip", tmp_path / "me.json"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part"))
