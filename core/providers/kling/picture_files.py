"""Writes a fetched picture to disk: whole, bounded, and only when its bytes are a picture's."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from core.errors import PictureError
from core.settings.private_files import private
from core.wire.audio import looks_like_mp3

MAX_PICTURE_BYTES = 64 * 1024 * 1024
_WRITE_BYTES = 256 * 1024

Sniff = Callable[[bytes], str | None]


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A picture that lies complete at its place; the type is what its bytes say."""

    size_bytes: int
    sha256: str
    media_type: str


def sniff_media_type(head: bytes) -> str | None:
    """Return the media type the first bytes tell, or None when it is no picture we keep."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return None


def sniff_sound_type(head: bytes) -> str | None:
    """Return the media type of sound as Kling gives it, or None when it is none."""
    return "audio/mpeg" if looks_like_mp3(head) else None


async def save_picture(
    reply: httpx.Response, part: Path, *, max_bytes: int, sniff: Sniff = sniff_media_type
) -> FetchedFile:
    """Write the file a reply holds to `part`, and say what it is; raise when it is none we keep."""
    announced = _length(reply)
    if announced is not None and announced > max_bytes:
        raise _too_large(max_bytes)
    digest = hashlib.sha256()
    size = 0
    media_type = None
    buffer = bytearray()
    with open(part, "wb", opener=private) as file:
        try:
            async for chunk in reply.aiter_bytes():
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                buffer += chunk
                if media_type is None and len(buffer) >= 12:
                    media_type = _known_type(buffer, sniff)
                if len(buffer) >= _WRITE_BYTES:
                    await asyncio.to_thread(_write, file, digest.update, bytes(buffer))
                    buffer.clear()
        except httpx.RemoteProtocolError as error:
            # The connection was closed before the length that was announced.
            raise _incomplete() from error
        if announced is not None and size != announced:
            raise _incomplete()
        if media_type is None:
            media_type = _known_type(buffer, sniff)
        await asyncio.to_thread(_write, file, digest.update, bytes(buffer))
        await asyncio.to_thread(os.fsync, file.fileno())
    return FetchedFile(size, digest.hexdigest(), media_type)


def _write(file: BinaryIO, update: Callable[[bytes], None], content: bytes) -> None:
    update(content)
    file.write(content)
    file.flush()


def publish_picture(part: Path, destination: Path) -> None:
    """Give a complete file its name, so that it outlives a loss of power."""
    os.replace(part, destination)
    # The name is durable only once its folder is; not every system can open one.
    with suppress(OSError):
        folder = os.open(destination.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _length(reply: httpx.Response) -> int | None:
    value = reply.headers.get("content-length", "")
    is_plain = "content-encoding" not in reply.headers
    return int(value) if is_plain and value.isdecimal() and len(value) < 20 else None


def _known_type(head: bytes | bytearray, sniff: Sniff) -> str:
    media_type = sniff(bytes(head[:12]))
    if media_type is None:
        is_sound = sniff is sniff_sound_type
        raise PictureError("error.sound_not_sound" if is_sound else "error.picture_not_image")
    return media_type


def _too_large(max_bytes: int) -> PictureError:
    limit_mb = max_bytes // (1024 * 1024)
    return PictureError("error.picture_too_large", facts={"limit_mb": limit_mb})


def _incomplete() -> PictureError:
    return PictureError("error.picture_incomplete")
