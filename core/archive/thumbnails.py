"""Thumbnails: a light copy of a picture for lists."""

import io

from PIL import Image, ImageOps

_LONG_SIDE = 512
_QUALITY = 82


def make_thumbnail(image: Image.Image) -> bytes:
    """Return a WebP whose long side is at most 512 pixels."""
    small = image.copy()
    small.thumbnail((_LONG_SIDE, _LONG_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    small = ImageOps.exif_transpose(small)
    if small.mode not in ("RGB", "RGBA"):
        small = small.convert("RGBA" if small.has_transparency_data else "RGB")
    target = io.BytesIO()
    # The default effort takes three times as long for a few per cent: a thousand pictures may come
    # within minutes.
    small.save(target, "WEBP", quality=_QUALITY, method=2)
    return target.getvalue()
