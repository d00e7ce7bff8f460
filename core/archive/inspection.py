"""Whether some bytes are a whole picture, and what kind of one."""

import io
import struct
import zlib
from dataclasses import dataclass

from PIL import Image

from core.archive.png_chunks import iter_chunks
from core.errors import InputError

MAX_PICTURE_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 8192 * 8192  # below Pillow's own warning; Kling's largest fit

_MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
}
# What decoders raise for damaged files, by their own account and by experience.
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error, zlib.error)
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What a picture is, as told by its bytes and not by its name."""

    format: str
    media_type: str
    width: int
    height: int
    size_bytes: int


def decode_image(content: bytes) -> tuple[ImageFacts, Image.Image]:
    """Return the facts and the decoded pixels of a whole picture of bounded size; InputError of
    what does not decode to its end."""
    if len(content) > MAX_PICTURE_BYTES:
        raise _too_large()
    try:
        image = Image.open(io.BytesIO(content), formats=list(_MEDIA_TYPES))
        if image.width * image.height > MAX_PIXELS:
            raise _too_large()
        image.load()
        _check_end(image.format or "", content)
    except _BOMB as error:
        raise _too_large() from error
    except _DAMAGE as error:
        raise InputError("image", "error.not_a_picture") from error
    kind = image.format or ""
    facts = ImageFacts(kind, _MEDIA_TYPES[kind], image.width, image.height, len(content))
    return facts, image


def _check_end(kind: str, content: bytes) -> None:
    """Raise ValueError for a tail that is missing; decoders stop once they have all pixels."""
    if kind == "PNG":
        for _chunk in iter_chunks(content):
            pass
    elif kind == "JPEG" and b"\xff\xd9" not in content[-1024:]:
        raise ValueError("no end marker")
    elif kind == "WEBP" and int.from_bytes(content[4:8], "little") + 8 > len(content):
        raise ValueError("shorter than its header says")


def _too_large() -> InputError:
    return InputError(
        "image",
        "error.picture_file_too_large",
        facts={"max_mb": MAX_PICTURE_BYTES >> 20, "max_megapixels": MAX_PIXELS // 1_000_000},
    )
