"""What the studio writes, others on the machine cannot read, however open the umask is."""

import ast
import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from core.admin.command import main
from core.archive.backup_places import BackupPlace
from core.models.generations import GenerationStatus, ImageRequest
from core.settings import Settings
from core.work.maintenance.backup import make_backup
from core.work.studio import Studio
from core.work.transfer.uploads import Uploads
from tests.crash.workshop import QUICK
from tests.unit.test_house import ROOT, name_of, sources
from tests.waiting import until
from tests.web.serving import serving

WRITING = frozenset("wax")
# Files that are made elsewhere, or where no mode is asked.
MADE_BEFORE = {
    ("core.storage.db.backup", "part"): "os.open made it, with its mode",
    ("core.archive.backup_places", "self._files"): "a bucket's; on a disk os.open makes it",
    ("core.work.maintenance.people", "file"): "a member of a zip",
    ("core.work.maintenance.backup", "tarfile"): "the place made the file it writes into",
    ("core.providers", ""): "the key log is the owner's own, and only tried",
}


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def _readable(folder: Path) -> list[str]:
    files = [one for one in folder.rglob("*") if one.is_file()]
    assert files
    return [
        f"{one.relative_to(folder)} {mode:o}"
        for one in files
        if (mode := stat.S_IMODE(one.stat().st_mode)) & 0o077
    ]


@pytest.mark.usefixtures("open_umask")
def test_nothing_in_the_data_folder_is_for_others_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    with serving(data, build=partial(Studio.open, timings=QUICK)) as served:
        studio = served.studio
        reply = httpx.get(f"{served.url}/complete", params={"question": "你好"})
        assert reply.status_code == 200
        request = ImageRequest("a lighthouse")
        made = studio.generations.request("local", request, caller="page")
        until(
            lambda: (
                (row := studio.store.generations.load(made.id))
                and row.status is GenerationStatus.ARCHIVED
            ),
            "the picture is archived",
        )
        (name,) = studio.archive.names()
        studio.archive.thumbnail_bytes(name)
        uploads = Uploads(data / "uploads")
        uploads.receive("local", "a.json", 0, 10, b"12345")
        uploads.note("local", "a.json", "importing", {"share": 0.5})
        place = BackupPlace(str(data / "backups"))
        backup = make_backup(studio.store, studio.archive, place, work_dir=data)
        found = {one.suffix for one in data.rglob("*") if one.is_file()}
        assert {".sqlite3", ".sqlite3-wal", ".lock", ".png", ".webp", ".part", ".tar"} <= found
        assert {".jsonl", ".json"} <= found, "the practice server's book, the upload's note"
        assert _readable(data) == []
    assert _readable(data) == []
    again = tmp_path / "again"
    monkeypatch.setenv("INKLING_DATA_DIR", str(again))
    assert main(["restore", f"{place.place}/{backup.name}"]) == 0
    assert main(["export", str(again / "all.json")]) == 0
    assert main(["export-person", "local", str(again / "me.zip")]) == 0
    assert main(["move-database", str(again / "moved.sqlite3")]) == 0
    assert main(["move-pictures", str(again / "moved")]) == 0
    assert _readable(again) == []
    assert Settings(data_dir=again).database_url is None


def test_every_file_is_made_with_its_mode() -> None:
    """Also those that are gone before anybody could look for them."""
    faults = [one for path in sources() for one in _faults(path)]
    assert faults == []


def _faults(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        of, name = _called(node)
        if (name_of(path), of) in MADE_BEFORE:
            continue
        where = f"{path.relative_to(ROOT)}:{node.lineno}"
        if name in ("write_bytes", "write_text", "NamedTemporaryFile"):
            yield f"{where}: use write_private"
        if name == "open" and of != "os" and WRITING & set(_mode(node)):
            openers = [ast.unparse(one.value) for one in node.keywords if one.arg == "opener"]
            if openers != ["private"]:
                yield f"{where}: say opener=private"
        if (of, name) == ("os", "open") and "O_CREAT" in ast.unparse(node.args[1]):
            said = [ast.unparse(one) for one in node.args[2:]]
            if said not in (["0o600"], ["384"], ["_MODE"]):
                yield f"{where}: say its mode"


def _called(node: ast.Call) -> tuple[str, str]:
    if isinstance(node.func, ast.Attribute):
        return ast.unparse(node.func.value), node.func.attr
    return "", node.func.id if isinstance(node.func, ast.Name) else ""


def _mode(node: ast.Call) -> str:
    given = [one.value for one in node.keywords if one.arg == "mode"]
    at = 1 if isinstance(node.func, ast.Name) else 0
    given += node.args[at : at + 1]
    texts = [one.value for one in given if isinstance(one, ast.Constant)]
    return next((one for one in texts if isinstance(one, str)), "")
