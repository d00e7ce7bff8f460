"""Thumbnails of attached pictures: small, whatever lies there, and few kept."""

import io

from PIL import Image

from core.models.chat import Turn
from core.models.parts import Blob, PicturePart
from core.storage.store import Store
from core.work.attachments import previews
from core.work.attachments.previews import SIDE, preview_of
from tests.unit.attachments.files import picture, png_bomb
from tests.unit.chat.test_message_parts import ask


def kept(store: Store, content: bytes, kind: str = "image/png") -> str:
    blob = Blob(content, kind)
    ask(store, Turn("user", (PicturePart(sha256=blob.sha256),)), blob)
    return blob.sha256


def size_of(content: bytes | None) -> tuple[int, int]:
    assert content is not None
    with Image.open(io.BytesIO(content)) as image:
        return image.size


def test_a_picture_of_any_size_and_kind_has_a_small_form(store: Store) -> None:
    for content in (
        picture("PNG", size=(1_000, 500)),
        picture("JPEG", size=(4_000, 2_000)),
        picture("WEBP", size=(1_000, 500)),
    ):
        assert size_of(preview_of(store, "ada", kept(store, content))) == (SIDE, SIDE // 2)


def test_what_is_no_picture_has_none_and_only_its_owner_sees_one(store: Store) -> None:
    for content in (b"no picture", b"", png_bomb()):
        assert preview_of(store, "ada", kept(store, content)) is None
    mine = kept(store, picture("PNG"))
    assert preview_of(store, "ada", mine) is not None
    assert preview_of(store, "eve", mine) is None


def test_few_are_kept_and_nothing_of_the_pictures_themselves(store: Store) -> None:
    for shade in range(previews._KEPT + 3):
        out = io.BytesIO()
        Image.new("RGB", (900, 900), (shade, 0, 0)).save(out, "PNG")
        preview_of(store, "ada", kept(store, out.getvalue()))
    assert len(previews._made) == previews._KEPT
