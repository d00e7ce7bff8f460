"""`python -m core.admin` from its arguments to what it says, in both languages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.admin.command import main
from core.archive.archive import Archive
from core.storage.store import Store
from tests.unit.maintenance.contents import files_of, paint, rows_of

ANN = "user:ann@example.com"
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_at(data: Path, *arguments: str, language: str = "en") -> tuple[int, str]:
        monkeypatch.setenv("INKLING_DATA_DIR", str(data))
        code = main(["--language", language, *arguments])
        told = capsys.readouterr()
        return code, told.out + told.err

    return run_at


def test_a_studio_is_backed_up_restored_moved_and_verified(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    store = Store.open(first / "inkling.sqlite3")
    archive = Archive.open(first / "pictures")
    store.conversations.create(ANN, title="海")
    name = paint(store, archive, ANN, 1)
    code, told = run(first, "backup")
    assert (code, "INKLING_BACKUP_TO" in told) == (1, True)
    monkeypatch.setenv("INKLING_BACKUP_TO", str(tmp_path / "backups"))
    code, told = run(first, "backup", language="zh")  # while the studio has it open
    assert code == 0
    assert "1 个对话，1 张图片" in told
    (backup,) = (tmp_path / "backups").iterdir()
    assert run(second, "verify", str(backup))[0] == 0
    code, told = run(second, "restore", str(backup))
    assert (code, "1 pictures" in told, told.endswith("All is sound.\n")) == (0, True, True)
    code, told = run(second, "restore", str(backup))
    assert (code, "which is not overwritten" in told) == (1, True)
    monkeypatch.setenv("MOVED_TO", str(third / "inkling.sqlite3"))
    code, told = run(first, "move-database", "env:MOVED_TO")
    assert (code, "in use" in told) == (1, True)
    before, files = rows_of(store), files_of(archive)
    store.close()
    assert run(second, "move-database", "env:MOVED_TO")[0] == 0
    assert run(second, "move-pictures", str(third / "pictures"))[0] == 0
    assert run(third, "verify", language="zh") == (
        0,
        "检查了 1 张图片，" + _size(files) + "一切完好。\n",
    )
    moved = Store.open(third / "inkling.sqlite3")
    assert rows_of(moved) == before
    moved.close()
    (third / "pictures" / name).unlink()
    code, told = run(third, "verify")
    assert (code, name in told) == (1, True)
    assert run(third, "prune", "--days", "1") == (
        0,
        "Removed: 0 pictures, 0 rows, 0 files that no row spoke of.\n",
    )


def _size(files: dict[str, bytes]) -> str:
    return f"{sum(map(len, files.values()))} 字节。\n"


def test_a_person_is_exported_and_deleted_only_when_that_is_meant(tmp_path: Path, run: Run) -> None:
    store = Store.open(tmp_path / "inkling.sqlite3")
    store.conversations.create(ANN, title="one")
    store.close()
    assert run(tmp_path, "export-person", "Ann@Example.com", str(tmp_path / "ann.zip"))[0] == 0
    assert (tmp_path / "ann.zip").stat().st_size > 100
    for yes, left in (([], 1), (["--yes"], 0)):
        code, told = run(tmp_path, "delete-person", "Ann@Example.com", *yes)
        assert (code, "1 conversations" in told) == (left, True)
        store = Store.open(tmp_path / "inkling.sqlite3")
        assert store.conversations.count(ANN) == left
        store.close()


@pytest.mark.parametrize(
    "asked",
    [
        ["backup", "--to", "backups"],
        ["verify"],
        ["prune"],
        ["move-database", "moved.sqlite3"],
        ["move-pictures", "moved"],
        ["export-person", "local", "local.zip"],
        ["delete-person", "local", "--yes"],
        ["export", "all.json"],
    ],
)
def test_where_no_studio_is_none_is_made(
    tmp_path: Path, run: Run, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, told = run(tmp_path / "elsewhere", *asked)
    assert (code, "No studio keeps anything" in told) == (1, True)
    assert list(tmp_path.iterdir()) == []
