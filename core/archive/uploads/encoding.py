"""Image encoding within limits: lossless stays so, JPEG keeps its tables, the rest is JPEG."""

import io
from dataclasses import dataclass

from PIL import Image

from core.archive.uploads.decoding import Decoded

# Tried one after the other until a picture fits that would have fitted as it came.
_QUALITIES = (95, 92, 88, 84, 80)
_LONGEST_SIDE = 4096  # of what is shrunk: Kling's own pictures are half as wide
_SMALLER = 0.8
_PREVIEW_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider takes."""

    most_bytes: int
    least_side: int
    widest: float  # times the shorter side
    longest_side: int | None = None  # of what is sent, where more would be of no use


def encode(image: Image.Image, decoded: Decoded, most_bytes: int, *, may_lose: bool) -> bytes:
    """Return the picture as a file; `may_lose` brings one below `most_bytes` as a JPEG."""
    if image.mode == "RGBA":
        return _png(image)
    if decoded.is_lossless:
        encoded = _png(image)
    elif decoded.jpeg is not None:
        tables = decoded.jpeg
        encoded = _saved(image, "JPEG", qtables=tables.quantization, subsampling=tables.subsampling)
    else:
        encoded = _jpeg(image, _QUALITIES[0])
    if len(encoded) > most_bytes and may_lose:
        return _jpeg_within(image, most_bytes) or encoded
    return encoded


def encode_fitting(image: Image.Image, decoded: Decoded, limits: Limits) -> bytes:
    """Return the picture as a file, cut, enlarged and shrunk as far as the limits ask for."""
    image = _enlarged(_cropped(image, limits.widest), limits.least_side)
    if limits.longest_side is not None and max(image.size) > limits.longest_side:
        image = _resized(image, limits.longest_side / max(image.size))
    encoded = encode(image, decoded, limits.most_bytes, may_lose=True)
    while len(encoded) > limits.most_bytes:
        image = _cropped(_shrunk(image), limits.widest)
        encoded = encode(image, decoded, limits.most_bytes, may_lose=True)
    return encoded


def encode_preview(content: bytes, side: int) -> bytes:
    """Return an encoded picture as a small one, for a page."""
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
        image.thumbnail((side, side))
        return _png(image) if image.mode == "RGBA" else _jpeg(image, _PREVIEW_QUALITY)


def _jpeg_within(image: Image.Image, most_bytes: int) -> bytes | None:
    tried = (_jpeg(image, quality) for quality in _QUALITIES)
    return next((encoded for encoded in tried if len(encoded) <= most_bytes), None)


def _cropped(image: Image.Image, widest: float) -> Image.Image:
    """Return the middle of a picture that is too wide or too tall."""
    width = min(image.width, int(image.height * widest))
    height = min(image.height, int(image.width * widest))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    is_whole = (width, height) == image.size
    return image if is_whole else image.crop((left, top, left + width, top + height))


def _enlarged(image: Image.Image, least_side: int) -> Image.Image:
    shorter = min(image.size)
    return image if shorter >= least_side else _resized(image, least_side / shorter)


def _shrunk(image: Image.Image) -> Image.Image:
    return _resized(image, min(_SMALLER, _LONGEST_SIDE / max(image.size)))


def _resized(image: Image.Image, factor: float) -> Image.Image:
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    return _saved(image, "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2)


def _png(image: Image.Image) -> bytes:
    return _saved(image, "PNG")


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()
