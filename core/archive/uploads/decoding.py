"""Image decoding of what people and programs hand in: any common format, in bounded memory.

The header is judged before a pixel is decoded. Other files of Pillow's (EPS calls Ghostscript) are
never tried.
"""

import io
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from PIL import Image, JpegImagePlugin

from core.errors import InputError

# By the names people know them; "HEIF" is the plug-in's.
FORMATS = ("JPEG", "PNG", "WebP", "HEIC", "AVIF", "GIF", "BMP", "TIFF")
_PILLOW_FORMATS = ("PNG", "WEBP", "HEIF", "AVIF", "GIF", "BMP", "DIB", "TIFF")
_LOSSLESS = frozenset({"PNG", "GIF", "BMP", "DIB", "TIFF"})
MAX_BYTES = 64 << 20
# The largest that phones take in other formats than JPEG is 48.8 million; four bytes each here.
MAX_PIXELS = 50_000_000
# A JPEG can be decoded at a half, a quarter, an eighth, line by line: 200 million pixels do.
MAX_JPEG_PIXELS = 256_000_000
# A progressive JPEG is decoded whole, once for each scan; cameras and tools write about ten.
_MAX_SCANS = 100
_START_OF_SCAN = b"\xff\xda"
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_ORIENTATION = 0x0112
_AS_IT_IS = 1
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class JpegTables:
    """How a JPEG was compressed, so that it can be again with nothing more lost."""

    quantization: dict[int, list[int]]
    subsampling: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """The pixels of an upload, upright, in the file's own mode and colour space."""

    image: Image.Image
    is_lossless: bool
    jpeg: JpegTables | None


def decode_upload(content: bytes, *, may_shrink: bool) -> Decoded:
    """Return the first frame, upright; InputError for too many pixels, any error for damage.

    `may_shrink` takes a JPEG of more pixels than are decoded otherwise, at a fraction of its size.
    """
    if len(content) > MAX_BYTES:
        raise unreadable()
    image = _opened(content)
    _check_size(image, content, may_shrink=may_shrink)
    tables = _tables(image)
    image.load()
    return Decoded(_upright(image, content), image.format in _LOSSLESS, tables)


def _opened(content: bytes) -> Image.Image:
    file = io.BytesIO(content)
    if content.startswith(b"\xff\xd8"):
        # Directly: what stands behind a phone's JPEG (a second picture, a film) is not looked at.
        return JpegImagePlugin.JpegImageFile(file)
    _learn_heif()
    try:
        return Image.open(file, formats=_PILLOW_FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error


@cache
def _learn_heif() -> None:
    # At first use: 3 MB, for what most people never send.
    with suppress(ImportError):  # where it cannot be installed, HEIC is refused like any other kind
        import pillow_heif  # noqa: PLC0415

        pillow_heif.register_heif_opener()


def _check_size(image: Image.Image, content: bytes, *, may_shrink: bool) -> None:
    pixels = image.width * image.height
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        is_progressive = bool(image.info.get("progressive"))
        if is_progressive and content.count(_START_OF_SCAN) > _MAX_SCANS:
            raise unreadable()
        if pixels > MAX_PIXELS:
            if is_progressive or pixels > MAX_JPEG_PIXELS:
                raise _too_many_pixels()
            if not may_shrink:
                raise _too_many_pixels(can_shrink=True)
            _decode_fraction(image)
    elif pixels > MAX_PIXELS or _tile_pixels(image) > MAX_PIXELS:
        raise _too_many_pixels()


def _decode_fraction(image: JpegImagePlugin.JpegImageFile) -> None:
    scale = next(
        scale for scale in (2, 4, 8) if image.width * image.height / scale**2 <= MAX_PIXELS
    )
    image.draft(image.mode, (image.width // scale, image.height // scale))


def _tile_pixels(image: Image.Image) -> int:
    tags = getattr(image, "tag_v2", {})
    width, length = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_LENGTH, 0)
    return int(width) * int(length)


def _tables(image: Image.Image) -> JpegTables | None:
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or image.mode == "CMYK":
        return None
    tables = {number: list(table) for number, table in image.quantization.items()}
    is_usual = list(tables) == list(range(len(tables)))
    if not is_usual or any(not 0 < step < 256 for table in tables.values() for step in table):
        return None
    return JpegTables(tables, JpegImagePlugin.get_sampling(image))


def _upright(image: Image.Image, content: bytes) -> Image.Image:
    method = _UPRIGHT.get(_orientation(image, content))
    return image.transpose(method) if method is not None else image


def _orientation(image: Image.Image, content: bytes) -> int:
    found = None
    with suppress(Exception):  # damaged metadata tells nothing, and it is left behind anyway
        found = image.getexif().get(_ORIENTATION)
    if image.format == "HEIF" and not _has_turned_itself(content):
        found = image.info.get("original_orientation")
    return found if isinstance(found, int) else _AS_IT_IS


def _has_turned_itself(content: bytes) -> bool:
    """Tell whether a HEIC says in its own words how it is turned; else its EXIF alone does."""
    head, _, rest = content.partition(b"mdat")
    boxes = head if b"iprp" in head else rest
    return b"irot" in boxes or b"imir" in boxes


def unreadable() -> InputError:
    """Return the refusal of what is no whole picture of a known kind."""
    return InputError("image", "error.upload_unreadable", facts={"formats": ", ".join(FORMATS)})


def _too_many_pixels(*, can_shrink: bool = False) -> InputError:
    facts = {"most_megapixels": MAX_PIXELS // 1_000_000, "can_shrink": can_shrink}
    return InputError("image", "error.upload_too_many_pixels", facts=facts)
