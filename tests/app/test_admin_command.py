"""`python -m core.admin` from its arguments to what it says, in both languages."""

import json
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


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_mistyped_person_is_refused_and_those_there_are_are_named(
    tmp_path: Path, run: Run, language: str
) -> None:
    store = Store.open(tmp_path / "inkling.sqlite3")
    for owner in (ANN, "user:ben@example.com", "visitor:1234"):
        store.conversations.create(owner, title="one")
    before = rows_of(store)
    store.close()
    for asked in (
        ["export-person", "anne@example.com", str(tmp_path / "anne.zip")],
        ["delete-person", "anne@example.com"],
        ["delete-person", "anne@example.com", "--yes"],
        ["delete-person", "local", "--yes"],
        ["export", "--user", "anne@example.com", str(tmp_path / "anne.json")],
    ):
        code, told = run(tmp_path, *asked, language=language)
        assert code == 1
        assert "ann@example.com, ben@example.com" in told
        assert "visitor" not in told
        assert ("There is nothing of" in told, "这里没有" in told) == (
            language == "en",
            language == "zh",
        )
    assert not list(tmp_path.glob("anne.*"))
    store = Store.open(tmp_path / "inkling.sqlite3")
    assert rows_of(store) == before
    store.close()


WHOLE = {
    "title": "海",
    "mapping": {
        "a": {
            "id": "a",
            "parent": None,
            "children": [],
            "message": {
                "id": "a",
                "author": {"role": "user"},
                "create_time": 1.0,
                "content": {"content_type": "text", "parts": ["hello"]},
            },
        }
    },
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_import_of_which_something_failed_ends_with_1_in_the_readers_language(
    tmp_path: Path, run: Run, language: str
) -> None:
    bad = {"title": "坏", "mapping": {"a": {"id": "a", "parent": "a", "children": ["a"]}}}
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps([WHOLE, bad, {"title": "", "mapping": 3}]))
    code, told = run(tmp_path / "data", "import", str(file), language=language)
    assert code == 1
    assert told.splitlines()[0] == (
        "Imported. New conversations: 1; known already: 0; messages added: 1."
        if language == "en"
        else "导入完成：新增 1 个对话，0 个已有，补上 1 条消息。"
    )
    assert "坏" in told
    assert ("could not be imported: 2" in told, "2 个对话没能导入" in told) == (
        language == "en",
        language == "zh",
    )
    file.write_text(json.dumps([WHOLE]))
    code, told = run(tmp_path / "data", "import", str(file), language=language)
    assert code == 0
    missing = str(tmp_path / "nowhere.json")
    code, told = run(tmp_path / "data", "import", missing, language=language)
    assert (code, missing in told) == (1, True)
    assert ("is not there" in told, "没有" in told) == (language == "en", language == "zh")
    nowhere = str(tmp_path / "no" / "all.json")
    code, told = run(tmp_path / "data", "export", nowhere, language=language)
    assert (code, nowhere in told) == (1, True)
