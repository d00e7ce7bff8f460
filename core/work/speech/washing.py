"""Masking of sound: what a server sends as samples may be anything, its own copy of our key too."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from core.wire.masking.secrets import known_secrets
from core.wire.masking.stream_washer import StreamWasher

_BYTES_AS_SIGNS = "latin-1"


async def washed(sound: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Yield PCM16 with each known secret masked, also one that comes in pieces; whole samples."""
    washer, rest = StreamWasher(known_secrets), b""
    async with aclosing(sound):
        async for pcm in sound:
            rest += _bytes(washer.take(pcm.decode(_BYTES_AS_SIGNS)))
            if whole := rest[: len(rest) & ~1]:
                rest = rest[len(whole) :]
                yield whole
    rest += _bytes(washer.end())
    if whole := rest[: len(rest) & ~1]:
        yield whole


def _bytes(signs: str) -> bytes:
    return signs.encode(_BYTES_AS_SIGNS, "replace")
