"""Pictures in posted messages: upright, without metadata, kept by their hash and sent as bytes.

An address is sent on as it is: the provider fetches it, the studio does not.
"""

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace

from core.archive.uploads.encoding import Limits
from core.archive.uploads.normalizing import normalize
from core.errors import InputError
from core.models.chat import Turn
from core.models.parts import Blob, Part, PicturePart
from core.texts.catalogue import Language
from core.web.chat.posted.request import ChatRequest
from core.web.http_call import HttpCallError

# What DeepSeek takes (deepseek.md section 3): any shape, and 32 MiB each.
_LIMITS = Limits(most_bytes=32 * 1024 * 1024, least_side=1, widest=float("inf"))
_ADDRESS_MOST = 8_192
_DATA = "data:"


async def with_pictures(request: ChatRequest, language: Language) -> ChatRequest:
    """Return a request whose pictures are as they are sent on, with their bytes attached."""
    if not any(isinstance(part, PicturePart) for turn in request.turns for part in turn.content):
        return request
    blobs: dict[str, Blob] = {}
    turns = [await _turn(turn, blobs, language) for turn in request.turns]
    return replace(request, turns=tuple(turns), attached=tuple(blobs.values()))


def picture_bytes(turns: Sequence[Turn]) -> int:
    """Return how much of a body its pictures are."""
    parts = (part for turn in turns for part in turn.content)
    return sum(len(part.url) for part in parts if isinstance(part, PicturePart))


async def _turn(turn: Turn, blobs: dict[str, Blob], language: Language) -> Turn:
    content = [await _part(part, blobs, language) for part in turn.content]
    return replace(turn, content=tuple(content))


async def _part(part: Part, blobs: dict[str, Blob], language: Language) -> Part:
    if not isinstance(part, PicturePart):
        return part
    if not part.url.startswith(_DATA):
        if not part.url.startswith(("https://", "http://")) or len(part.url) > _ADDRESS_MOST:
            raise _wrong("http.picture_address")
        return part
    head, comma, encoded = part.url.partition(",")
    try:
        if not comma or not head.endswith(";base64"):
            raise _wrong("http.picture_address")
        content = await asyncio.to_thread(base64.b64decode, encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _wrong("http.picture_address") from error
    try:
        # Not in a thread of those that look into the database: it takes its time.
        made = await asyncio.wrap_future(normalize(content, _LIMITS))
    except InputError as error:
        reason = error.sentence(language)
        raise _wrong("http.unreadable_picture", reason=reason) from error
    blob = Blob(made.content, made.media_type)
    blobs[blob.sha256] = blob
    return replace(part, url="", sha256=blob.sha256, media_type=blob.media_type)


def _wrong(text_id: str, **facts: object) -> HttpCallError:
    name = "image_url"
    return HttpCallError(400, text_id, facts={"field": name, **facts}, field="messages")
