"""Pictures and files in posted messages: pictures upright, without metadata, kept by their hash and
sent as bytes; of files the text that is in them, as of those that a person attaches.

A picture's address is sent on as it is: the provider fetches it, the studio does not.
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
from core.models.parts import Blob, FilePart, Part, PicturePart
from core.texts.catalogue import Language
from core.web.chat.posted.messages import UNREAD
from core.web.chat.posted.request import ChatRequest
from core.web.http_call import HttpCallError
from core.work.attachments.extraction import read

# What DeepSeek takes (deepseek.md section 3): any shape, and 32 MiB each.
_LIMITS = Limits(most_bytes=32 * 1024 * 1024, least_side=1, widest=float("inf"))
_ADDRESS_MOST = 8_192
_DATA = "data:"


async def with_attached(request: ChatRequest, language: Language) -> ChatRequest:
    """Return a request whose pictures and files are as they are sent on, with bytes attached."""
    parts = (part for turn in request.turns for part in turn.content)
    if not any(isinstance(part, PicturePart | FilePart) for part in parts):
        return request
    blobs: dict[str, Blob] = {}
    turns = [await _turn(turn, blobs, language) for turn in request.turns]
    return replace(request, turns=tuple(turns), attached=tuple(blobs.values()))


def attached_bytes(turns: Sequence[Turn]) -> int:
    """Return how much of a body its pictures and files are."""
    parts = [part for turn in turns for part in turn.content]
    pictures = sum(len(part.url) for part in parts if isinstance(part, PicturePart))
    return pictures + sum(len(part.text) for part in parts if isinstance(part, FilePart))


async def _turn(turn: Turn, blobs: dict[str, Blob], language: Language) -> Turn:
    content = [await _part(part, blobs, language) for part in turn.content]
    return replace(turn, content=tuple(content))


async def _part(part: Part, blobs: dict[str, Blob], language: Language) -> Part:
    if isinstance(part, FilePart) and part.media_type == UNREAD:
        return await _file(part, blobs, language)
    if not isinstance(part, PicturePart):
        return part
    if not part.url.startswith(_DATA):
        if not part.url.startswith(("https://", "http://")) or len(part.url) > _ADDRESS_MOST:
            raise _wrong("http.picture_address")
        return part
    content = await _decoded(part.url)
    if content is None:
        raise _wrong("http.picture_address")
    try:
        # Not in a thread of those that look into the database: it takes its time.
        made = await asyncio.wrap_future(normalize(content, _LIMITS))
    except InputError as error:
        reason = error.sentence(language)
        raise _wrong("http.unreadable_picture", reason=reason) from error
    blob = Blob(made.content, made.media_type)
    blobs[blob.sha256] = blob
    return replace(part, url="", sha256=blob.sha256, media_type=blob.media_type)


async def _file(part: FilePart, blobs: dict[str, Blob], language: Language) -> Part:
    url = part.text if part.text.startswith(_DATA) else f"{_DATA};base64,{part.text}"
    content = await _decoded(url)
    if content is None:
        raise _wrong("http.file_data", "file_data")
    try:
        found = await asyncio.wrap_future(read(part.name, content))
    except InputError as error:
        raise _wrong("http.unreadable_file", "file", reason=error.sentence(language)) from error
    if found.blob is not None:
        blobs[found.blob.sha256] = found.blob
    return found.part


async def _decoded(url: str) -> bytes | None:
    """Return the bytes of a data URL with base64; None where it is none."""
    head, comma, encoded = url.partition(",")
    if not comma or not head.endswith(";base64"):
        return None
    try:
        return await asyncio.to_thread(base64.b64decode, encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


def _wrong(text_id: str, name: str = "image_url", **facts: object) -> HttpCallError:
    return HttpCallError(400, text_id, facts={"field": name, **facts}, field="messages")
