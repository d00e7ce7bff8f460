"""The archive at an fsspec URL keeps the same promises as the one in a folder."""

from pathlib import Path

import fsspec
import pytest

from core.archive.archive import Archive
from core.errors import InputError, PictureError, StoreError
from tests.unit.archive.test_pictures import GENERATION_ID, NOW, adopt, picture_bytes


@pytest.fixture(params=["memory", "file"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    url = {"memory": f"memory://{tmp_path.name}", "file": f"file://{tmp_path}/bucket"}
    return Archive.open(tmp_path / "local", url=url[request.param])


def test_a_picture_is_kept_byte_for_byte_and_found_by_another_machine(
    tmp_path: Path,
) -> None:
    url = f"file://{tmp_path}/bucket"
    content = picture_bytes()
    file = adopt(Archive.open(tmp_path / "one", url=url), content)
    other = Archive.open(tmp_path / "two", url=url)
    assert other.original_bytes(file.name) == content
    assert other.exists(file.name)
    assert other.thumbnail_bytes(file.name)
    assert [path.name for path in (tmp_path / "bucket").rglob("*.part")] == []


def test_nothing_stays_behind_on_this_machine(remote: Archive, tmp_path: Path) -> None:
    file = adopt(remote, picture_bytes())
    assert remote.exists(file.name)
    assert [path for path in (tmp_path / "local").rglob("*") if path.is_file()] == []


def test_what_is_not_whole_is_never_uploaded(remote: Archive) -> None:
    part = remote.new_part()
    part.write_bytes(picture_bytes()[:-20])
    with pytest.raises(PictureError):
        remote.adopt(part, created_at=NOW, generation_id=GENERATION_ID, index=0)
    assert not part.exists()


def test_a_removed_picture_is_gone_and_removing_twice_is_fine(remote: Archive) -> None:
    file = adopt(remote, picture_bytes())
    remote.remove(file.name)
    remote.remove(file.name)
    assert not remote.exists(file.name)
    with pytest.raises(StoreError) as caught:
        remote.original_bytes(file.name)
    assert caught.value.text_id == "error.picture_missing"


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "a/../b.png", ""])
def test_no_name_leads_out(remote: Archive, name: str) -> None:
    with pytest.raises(InputError):
        remote.original_bytes(name)


def test_an_unknown_kind_of_place_is_told_without_its_key(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        Archive.open(tmp_path, url="nowhere://key:secret-canary@bucket/pictures")
    assert caught.value.text_id == "error.archive_backend"
    assert "secret-canary" not in f"{caught.value} {caught.value.facts}"


def test_a_place_that_fails_is_a_store_error(
    remote: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, "Access Denied")

    for kind in ("memory", "file"):
        monkeypatch.setattr(type(fsspec.filesystem(kind)), "put_file", refuse, raising=False)
    part = remote.new_part()
    part.write_bytes(picture_bytes())
    with pytest.raises(StoreError):
        remote.adopt(part, created_at=NOW, generation_id=GENERATION_ID, index=0)
    assert part.exists()
