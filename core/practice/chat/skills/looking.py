"""Looking at a picture: its size, and the colours that fill most of it."""

import base64
import binascii
import io
from collections import Counter
from dataclasses import dataclass

from PIL import Image

from core.practice.chat.refusal import ChatRefusal
from core.practice.chat.texts import Language

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")  # deepseek.md section 3
_SIDE = 48
_SHOWN = 3
_LEAST_SHARE = 0.08
_COLOURS: dict[tuple[str, str], tuple[int, int, int]] = {
    ("黑色", "black"): (15, 15, 15),
    ("白色", "white"): (245, 245, 245),
    ("灰色", "grey"): (128, 128, 128),
    ("红色", "red"): (205, 40, 40),
    ("橙色", "orange"): (235, 140, 40),
    ("黄色", "yellow"): (240, 215, 60),
    ("绿色", "green"): (50, 150, 60),
    ("青色", "cyan"): (60, 190, 200),
    ("蓝色", "blue"): (40, 80, 200),
    ("紫色", "purple"): (130, 60, 160),
    ("粉色", "pink"): (245, 170, 190),
    ("棕色", "brown"): (120, 75, 40),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a picture; without a size it stands behind an address."""

    width: int = 0
    height: int = 0
    colours: tuple[tuple[str, str], ...] = ()

    def words(self, language: Language) -> str:
        """Return what is said of it."""
        if not self.width:
            return "一个网址，没有去取" if language == "zh" else "an address, which was not fetched"
        place = 0 if language == "zh" else 1
        names = [colour[place] for colour in self.colours]
        size = f"{self.width} × {self.height}"
        joined = "、".join(names) if language == "zh" else ", ".join(names)
        return f"{size}，主要是{joined}" if language == "zh" else f"{size}, mostly {joined}"


def look(url: str) -> Seen:
    """Return what a picture shows, or raise the refusal DeepSeek would send."""
    if not url.startswith("data:"):
        return Seen()
    try:
        content = base64.b64decode(url.partition(",")[2], validate=True)
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            width, height = image.size
            small = image.convert("RGB").resize((_SIDE, _SIDE))
    except (binascii.Error, ValueError, OSError, Image.DecompressionBombError) as error:
        raise ChatRefusal(400, "image_url: the image could not be decoded") from error
    return Seen(width, height, _colours(small))


def _colours(image: Image.Image) -> tuple[tuple[str, str], ...]:
    counted: Counter[tuple[str, str]] = Counter()
    for count, pixel in image.getcolors(_SIDE * _SIDE) or ():
        counted[_nearest(pixel)] += count
    total = _SIDE * _SIDE
    shown = [name for name, count in counted.most_common(_SHOWN) if count >= _LEAST_SHARE * total]
    return tuple(shown or [counted.most_common(1)[0][0]])


def _nearest(pixel: object) -> tuple[str, str]:
    assert isinstance(pixel, tuple)

    def distance(name: tuple[str, str]) -> int:
        return sum((int(a) - b) ** 2 for a, b in zip(pixel, _COLOURS[name], strict=True))

    return min(_COLOURS, key=distance)
