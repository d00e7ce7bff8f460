"""Colour conversion to 8-bit sRGB: ICC profiles, CMYK, 16 bits, palettes, transparency."""

import io
from contextlib import suppress

from PIL import Image, ImageCms

_SRGB = ImageCms.createProfile("sRGB")
_PROFILE_MOST_BYTES = 8 << 20
_WITH_PROFILE = ("RGB", "RGBA", "CMYK", "L")
_PALETTES = ("P", "PA")


def to_srgb(image: Image.Image) -> Image.Image:
    """Return the picture as RGB, or as RGBA where something of it shows through."""
    profile = image.info.get("icc_profile")
    image = _in_eight_bits(image)
    if image.mode in _PALETTES or image.has_transparency_data:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image = _converted(image, profile)
    if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] == 255:
        return image.convert("RGB")
    return image


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Return deep greys (16 bits, whole numbers, fractions) as 8 bits of grey."""
    if image.mode.startswith("I;16"):
        # Pillow's own conversion cuts off above 255 in some of these modes.
        return _scaled(image.convert("I"), 0, 65535)
    if image.mode not in ("I", "F"):
        return image
    low, high = image.getextrema()
    if not (isinstance(low, int | float) and isinstance(high, int | float)):
        return image.convert("L")
    if image.mode == "F" and low >= 0 and high <= 1:
        return _scaled(image, 0, 1)
    if low >= 0 and high <= 65535:
        return _scaled(image, 0, 255 if high <= 255 else 65535)
    return _scaled(image, low, high)


def _scaled(image: Image.Image, low: float, high: float) -> Image.Image:
    factor = 255 / (high - low) if high > low else 0
    return image.point(lambda value: value * factor + (-low * factor)).convert("L")


def _converted(image: Image.Image, profile: object) -> Image.Image:
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    is_profiled = image.mode in _WITH_PROFILE
    if is_profiled and isinstance(profile, bytes) and 0 < len(profile) <= _PROFILE_MOST_BYTES:
        with suppress(ImageCms.PyCMSError, OSError, ValueError):  # of another mode, or damaged
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode=mode)
            if converted is not None:
                return converted
    return image if image.mode == mode else image.convert(mode)
