"""The archive of files: whole pictures only, exactly as they came, and never outside its folder."""

import hashlib
import io
import os
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from core.archive.archive import Archive, ArchivedFile, name_for
from core.archive.inspection import MAX_PIXELS, decode_image
from core.archive.png_chunks import iter_chunks, join_chunks
from core.errors import InputError, PictureError, StoreError
from core.models.generations import Generation, GenerationStatus, ImageRequest, Picture

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
GENERATION_ID = "0123456789abcdef" * 2


def picture_bytes(kind: str = "PNG", size: tuple[int, int] = (900, 600)) -> bytes:
    image = Image.effect_noise(size, 60).convert("RGB")
    target = io.BytesIO()
    image.save(target, kind)
    return target.getvalue()


def adopt(archive: Archive, content: bytes, index: int = 0) -> ArchivedFile:
    part = archive.new_part()
    part.write_bytes(content)
    file = archive.adopt(part, created_at=NOW, generation_id=GENERATION_ID, index=index)
    assert not part.exists()
    return file


def files_in(archive: Archive) -> list[str]:
    root = Path(archive.place)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("kind", "suffix", "media_type"),
    [
        ("PNG", "png", "image/png"),
        ("JPEG", "jpg", "image/jpeg"),
        ("WEBP", "webp", "image/webp"),
    ],
)
def test_a_whole_picture_is_kept_byte_for_byte(
    archive: Archive, kind: str, suffix: str, media_type: str
) -> None:
    content = picture_bytes(kind)
    file = adopt(archive, content)
    assert file == ArchivedFile(
        name=f"2026/11/22/20261122T101500Z-0123456789ab-0.{suffix}",
        media_type=media_type,
        width=900,
        height=600,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    assert archive.original_bytes(file.name) == content
    assert (Path(archive.place) / file.name).read_bytes() == content
    assert files_in(archive) == sorted([file.name, f"thumbnails/{file.name}.webp"])


def test_names_sort_by_time() -> None:
    moments = [NOW + timedelta(seconds=step * 86_399 * 11) for step in range(40)]
    names = [name_for(moment, GENERATION_ID, 0, "png") for moment in moments]
    assert names == sorted(names)
    assert len(set(names)) == 40
    with pytest.raises(ValueError, match="twelve"):
        name_for(NOW, "../../etc/passwd", 0, "png")


def test_the_same_picture_again_takes_the_same_place(archive: Archive) -> None:
    first = adopt(archive, picture_bytes())
    content = picture_bytes()
    again = adopt(archive, content)
    assert first.name == again.name
    assert archive.original_bytes(again.name) == content
    assert len(files_in(archive)) == 2


def test_thumbnails_are_light_and_made_again_when_missing(archive: Archive) -> None:
    file = adopt(archive, picture_bytes(size=(2000, 1000)))
    thumbnail = archive.thumbnail_bytes(file.name)
    with Image.open(io.BytesIO(thumbnail)) as image:
        assert (image.format, image.size) == ("WEBP", (512, 256))
    (Path(archive.place) / "thumbnails" / f"{file.name}.webp").unlink()
    assert archive.thumbnail_bytes(file.name) == thumbnail
    assert f"thumbnails/{file.name}.webp" in files_in(archive)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pictures_of_every_mode_have_a_thumbnail(archive: Archive, mode: str) -> None:
    target = io.BytesIO()
    Image.new("L", (30, 20), 99).convert(mode).save(target, "PNG")
    file = adopt(archive, target.getvalue())
    with Image.open(io.BytesIO(archive.thumbnail_bytes(file.name))) as image:
        assert image.size == (30, 20)


def cut(content: bytes, kind: str) -> list[bytes]:
    return [content[: len(content) * share // 10] for share in range(1, 10)] + [
        content[:-1],
        content[:-2],
        content[:-12] if kind == "PNG" else content[:-100],
    ]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_a_picture_that_is_cut_off_anywhere_is_refused(archive: Archive, kind: str) -> None:
    for content in cut(picture_bytes(kind, (300, 300)), kind):
        part = archive.new_part()
        part.write_bytes(content)
        with pytest.raises(PictureError) as caught:
            archive.adopt(part, created_at=NOW, generation_id=GENERATION_ID, index=0)
        assert caught.value.text_id == "error.picture_broken"
    assert files_in(archive) == []


def test_a_picture_with_a_damaged_byte_is_refused() -> None:
    content = bytearray(picture_bytes())
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(InputError):
        decode_image(bytes(content))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"just text in a file called .png",
        b"<html>gone</html>",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
    ],
)
def test_what_is_no_picture_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        decode_image(content)
    assert (caught.value.text_id, caught.value.field) == ("error.not_a_picture", "image")


def bomb(width: int, height: int) -> bytes:
    """Return a PNG whose header claims a size its few bytes do not have."""
    chunks = list(iter_chunks(picture_bytes(size=(4, 4))))
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + chunks[0][1][8:]
    return join_chunks([(b"IHDR", header), *chunks[1:]])


@pytest.mark.parametrize("side", [8193, 10_000, 20_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(side: int) -> None:
    assert side * side > MAX_PIXELS
    with pytest.raises(InputError) as caught:
        decode_image(bomb(side, side))
    assert caught.value.text_id == "error.picture_file_too_large"


def test_facts_come_from_the_bytes() -> None:
    content = picture_bytes("JPEG", (40, 30))
    facts, image = decode_image(content)
    image.close()
    assert (facts.format, facts.media_type, facts.width, facts.height, facts.size_bytes) == (
        "JPEG",
        "image/jpeg",
        40,
        30,
        len(content),
    )


@pytest.mark.parametrize(
    "name",
    [
        "../outside.png",
        "/etc/passwd",
        "2026/../../outside.png",
        "2026\\..\\outside.png",
        "a\x00.png",
        "",
        ".",
        "2026",
        "./a.png",
        "a//b.png",
    ],
)
def test_no_name_leads_out_of_the_folder(archive: Archive, name: str) -> None:
    for act in (
        archive.original_bytes,
        archive.thumbnail_bytes,
        archive.exists,
        archive.remove,
    ):
        with pytest.raises(InputError) as caught:
            act(name)
        assert caught.value.text_id == "error.picture_gone"


def test_a_link_out_of_the_folder_is_not_followed(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    (Path(archive.place) / "2026").symlink_to(tmp_path)
    with pytest.raises(InputError):
        archive.original_bytes("2026/secret.png")


def test_a_missing_file_is_said_to_be_missing(archive: Archive) -> None:
    with pytest.raises(StoreError) as caught:
        archive.original_bytes("2026/11/22/gone-0.png")
    assert caught.value.text_id == "error.picture_missing"


def test_a_removed_picture_leaves_nothing_and_removing_twice_is_fine(archive: Archive) -> None:
    file = adopt(archive, picture_bytes())
    archive.remove(file.name)
    archive.remove(file.name)
    assert files_in(archive) == []
    assert not archive.exists(file.name)


def test_parts_of_dead_processes_are_swept_after_an_hour(archive: Archive) -> None:
    old, young = archive.new_part(), archive.new_part()
    for part, age_s in ((old, 3601), (young, 3500)):
        part.write_bytes(b"half")
        written = part.stat().st_mtime - age_s
        os.utime(part, (written, written))
    assert archive.sweep_parts() == 1
    assert (old.exists(), young.exists()) == (False, True)


def test_a_full_disk_keeps_the_part_for_the_next_try(small_disk: Path) -> None:
    archive = Archive.open(small_disk / "archive")
    part = archive.new_part()
    content = picture_bytes(size=(400, 400))
    part.write_bytes(content)
    ballast = small_disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    with pytest.raises(StoreError, match="is full") as caught:
        archive.adopt(part, created_at=NOW, generation_id=GENERATION_ID, index=0)
    assert caught.value.text_id == "error.store_full"
    assert part.exists()
    assert len(files_in(archive)) == 1, "nothing half done stays"
    ballast.unlink()
    kept = archive.adopt(part, created_at=NOW, generation_id=GENERATION_ID, index=0)
    assert archive.original_bytes(kept.name) == content


LIMITED = """
import resource, sys
from datetime import UTC, datetime
from core.errors import StoreError
from core.archive.archive import Archive
archive = Archive.open(sys.argv[1])
part = archive.new_part()
part.write_bytes(sys.stdin.buffer.read())
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    archive.adopt(part, created_at=datetime.now(UTC), generation_id="a" * 32, index=0)
except StoreError as error:
    print(error.text_id)
"""


def test_a_file_size_limit_is_met_like_a_full_disk(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "archive")],
        input=picture_bytes(),
        capture_output=True,
        cwd=Path(__file__).parents[3],
        check=True,
    )
    assert result.stdout.strip() == b"error.store_full"


def test_a_folder_without_permission_is_named(read_only_folder: Path) -> None:
    with pytest.raises(StoreError, match=f"{read_only_folder}.*write permission") as caught:
        Archive.open(read_only_folder / "archive")
    assert caught.value.text_id == "error.store_readonly"


def test_a_download_tells_how_it_was_made_and_the_original_stays(archive: Archive) -> None:
    content = picture_bytes()
    file = adopt(archive, content)
    picture = Picture("p", GENERATION_ID, 0, created_at=NOW, **vars_of(file))  # type: ignore[arg-type]
    generation = Generation(
        id=GENERATION_ID,
        owner="ada",
        external_task_id="inkling-x",
        request=ImageRequest("ink"),
        status=GenerationStatus.ARCHIVED,
        provider="kling",
        created_at=NOW,
        updated_at=NOW,
    )
    with Image.open(io.BytesIO(archive.download_bytes(picture, generation))) as image:
        assert isinstance(image, PngImagePlugin.PngImageFile)
        assert image.text["prompt"] == "ink"
    assert archive.original_bytes(file.name) == content
    jpeg = picture_bytes("JPEG")
    file = adopt(archive, jpeg, index=1)
    picture = Picture("p", GENERATION_ID, 1, created_at=NOW, **vars_of(file))  # type: ignore[arg-type]
    assert archive.download_bytes(picture, generation) == jpeg


def vars_of(file: ArchivedFile) -> dict[str, object]:
    return {name: getattr(file, name) for name in file.__dataclass_fields__}
