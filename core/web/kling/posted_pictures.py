"""Pictures in bodies that are forwarded: each base64 picture normalised, all else as it came.

Kling's endpoints name the field variously (`image`, `image_tail`, `subject_image`, `contents[]`…),
so a picture is known by its field's name or by its first bytes, wherever it stands.
"""

import asyncio
import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any

from core.web.kling.creates.shared import posted_picture
from core.work.generations.references import prepare_reference_soon

# A shorter one is a word ("subject") or an id, and no picture.
_SHORTEST = 80
_NAMES = ("image", "picture", "photo", "mask")
_URLS = ("http://", "https://")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis")

_FOR_URLS = str.maketrans("-_", "+/")

_Place = tuple[Any, Any]  # of a string: its container, and the key or index in it


async def normalized(body: bytes) -> bytes:
    """Return a JSON body with its pictures as they may be sent; InputError for one that is none."""
    found = await asyncio.to_thread(_pictures, body)
    if found is None:
        return body
    document, places = found
    for container, key in places:
        content = await asyncio.to_thread(posted_picture, container[key])
        if content is not None:
            reference = await asyncio.wrap_future(prepare_reference_soon(content))
            container[key] = base64.b64encode(reference.content).decode("ascii")
    return await asyncio.to_thread(_dumped, document)


def _dumped(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _pictures(body: bytes) -> tuple[Any, list[_Place]] | None:
    try:
        document = json.loads(body)
        places = list(_places(document))
    except (ValueError, RecursionError):
        return None  # Kling says what is wrong with it
    return (document, places) if places else None


def _places(value: Any, name: str = "") -> Iterator[_Place]:
    """Yield where the pictures of a document are; those in a list go by the list's name."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in list(entries):
        own = key.lower() if isinstance(key, str) else name
        if isinstance(entry, dict | list):
            yield from _places(entry, own)
        elif isinstance(entry, str) and _is_picture(own, entry):
            yield value, key


def _is_picture(name: str, text: str) -> bool:
    if text.startswith("data:image/"):
        return True
    if len(text) < _SHORTEST or text.startswith(_URLS):
        return False
    try:
        head = base64.b64decode(text[:24].translate(_FOR_URLS), validate=True)
    except (binascii.Error, ValueError):
        return False
    return _starts_as_picture(head) or any(part in name for part in _NAMES)


def _starts_as_picture(head: bytes) -> bool:
    if head[4:8] == b"ftyp":
        return head[8:12] in _HEIF_BRANDS
    if head.startswith(b"RIFF"):
        return head[8:12] == b"WEBP"
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\x00", b"MM\x00*"))
