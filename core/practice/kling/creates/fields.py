"""Fields that create bodies of several kinds share, read by the rules of Kling's pages."""

import base64
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image, UnidentifiedImageError

from core.practice.faults import REFUSED_WORDS
from core.practice.kling.refusal import KlingRefusal, bad_parameter
from core.practice.painting.brush import Rgb

MOST_CHARACTERS = 2500
MOST_PICTURES = 9
MOST_REFERENCES = 10
MOST_IMAGE_BYTES = 10 * 1024 * 1024
LEAST_SIDE_PIXELS = 300
WIDEST_RATIO = 2.5

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reference:
    """What is kept of a reference picture: not its bytes. None where only a URL came."""

    size: tuple[int, int] | None = None
    tint: Rgb | None = None


def fields_of(body: bytes) -> Fields:
    """Return the fields that a body gives a value."""
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise KlingRefusal(1200, "The request body is not JSON") from error
    if not isinstance(fields, dict):
        raise KlingRefusal(1200, "The request body is not a JSON object")
    # The official client sends null for what it leaves out.
    return {name: value for name, value in fields.items() if value is not None}


def text(fields: Fields, name: str, most: int = MOST_CHARACTERS) -> str:
    """Return a text that is not too long; empty where it is not there."""
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise bad_parameter(name, "must be a string")
    if len(value) > most:
        raise bad_parameter(name, f"must not be longer than {most} characters")
    return value


def prompt(fields: Fields) -> str:
    """Return the prompt of a kind that is nothing without one."""
    words = text(fields, "prompt")
    if not words:
        raise bad_parameter("prompt", "must not be empty")
    return words


def check_words(words: str) -> None:
    """Refuse what the content rules do not let pass."""
    if REFUSED_WORDS.search(words):
        raise KlingRefusal(1301)


def count(fields: Fields) -> int:
    """Return how many pictures are asked for."""
    return whole(fields, "n", 1, MOST_PICTURES)


def whole(fields: Fields, name: str, least: int, most: int) -> int:
    """Return a whole number within bounds; the least where it is not there."""
    value = fields.get(name, least)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise bad_parameter(name, f"must be an integer from {least} to {most}")
    return value


def one_of(fields: Fields, name: str, offered: tuple[str, ...], default: str) -> str:
    """Return one of the words that a field may have."""
    value = fields.get(name, default)
    if value not in offered:
        raise bad_parameter(name, f"value '{value}' is invalid")
    return str(value)


def watermark(fields: Fields) -> bool:
    """Return whether a second, signed copy is wanted."""
    if "watermark_info" not in fields:
        return False
    info = fields["watermark_info"]
    enabled = info.get("enabled", False) if isinstance(info, dict) else None
    if not isinstance(enabled, bool):
        raise bad_parameter("watermark_info", "must be an object with a boolean enabled")
    return enabled


def external_task_id(fields: Fields) -> str | None:
    """Return the caller's own id; the callback beside it is checked and never called."""
    callback_url = fields.get("callback_url", "")
    if not isinstance(callback_url, str) or not re.match(r"https?://|$", callback_url):
        raise bad_parameter("callback_url", "must be a URL")
    own_id = fields.get("external_task_id", "")
    if not isinstance(own_id, str):
        raise bad_parameter("external_task_id", "must be a string")
    return own_id or None


def elements(fields: Fields, *, pictures: int) -> tuple[int, ...]:
    """Return the elements of a list which, with so many pictures, is not too long."""
    entries = fields.get("element_list") or []
    if not isinstance(entries, list):
        raise bad_parameter("element_list", "must be an array")
    found = []
    for entry in entries:
        element_id = entry.get("element_id") if isinstance(entry, dict) else None
        if isinstance(element_id, bool) or not isinstance(element_id, int):
            raise bad_parameter("element_list", "must hold objects with an integer element_id")
        found.append(element_id)
    if len(found) + pictures > MOST_REFERENCES:
        raise bad_parameter("element_list", f"and images must not exceed {MOST_REFERENCES}")
    return tuple(found)


def pictures(fields: Fields, name: str, inner: str) -> tuple[Reference, ...]:
    """Return the pictures of a list whose entries hold one each."""
    entries = fields.get(name) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise bad_parameter(name, f"must be an array of objects with {inner}")
    if len(entries) > MOST_REFERENCES:
        raise bad_parameter(name, f"and elements must not exceed {MOST_REFERENCES}")
    found = tuple(picture(entry, inner) for entry in entries)
    if any(one is None for one in found):
        raise bad_parameter(name, f"must be an array of objects with {inner}")
    return tuple(one for one in found if one is not None)


def picture(fields: Fields, name: str) -> Reference | None:
    """Return what a picture is like; None where there is none."""
    image = fields.get(name)
    if image is None or image == "":
        return None
    if not isinstance(image, str):
        raise bad_parameter(name, "must be a URL or base64")
    if image.startswith(("http://", "https://")):
        return Reference()  # never fetched: nothing leaves this machine
    if image.startswith("data:"):
        raise bad_parameter(name, "must be base64 without a data: prefix")
    try:
        content = base64.b64decode(image, validate=True)
    except ValueError as error:
        raise bad_parameter(name, "is neither a URL nor valid base64") from error
    if len(content) > MOST_IMAGE_BYTES:
        raise bad_parameter(name, "must not be larger than 10MB")
    return _measured(content, name)


def _measured(content: bytes, name: str) -> Reference:
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            size = image.size
            _check_size(*size, name)
            mean = image.convert("RGB").resize((1, 1), Image.Resampling.BOX).tobytes()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError) as error:
        raise bad_parameter(name, "must be a jpg, jpeg or png file") from error
    return Reference(size, (mean[0], mean[1], mean[2]))


def _check_size(width: int, height: int, name: str) -> None:
    if min(width, height) < LEAST_SIDE_PIXELS:
        raise bad_parameter(name, f"width and height must be at least {LEAST_SIDE_PIXELS}px")
    if max(width, height) > WIDEST_RATIO * min(width, height):
        raise bad_parameter(name, "aspect ratio must be between 1:2.5 and 2.5:1")
