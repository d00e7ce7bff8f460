"""PNG at the level of chunks (w3.org/TR/png-3 §5.3): pixels pass through untouched."""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEAD = struct.Struct(">I4s")
_MAX_TEXT_BYTES = 1 << 20


def iter_chunks(png: bytes, *, strict: bool = True) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of each chunk up to IEND; ValueError when the file is not whole.

    Not strict: CRCs are not looked at, and a file may end early.
    """
    if not png.startswith(SIGNATURE):
        raise ValueError("no PNG signature")
    at = len(SIGNATURE)
    kind = b""
    while kind != b"IEND":
        if at + 12 > len(png):
            if strict:
                raise ValueError("the file ends before IEND")
            return
        length, kind = _HEAD.unpack_from(png, at)
        content = png[at + 8 : at + 8 + length]
        crc = png[at + 8 + length : at + 12 + length]
        if strict and crc != _crc(kind, content):
            raise ValueError("a chunk is cut off or damaged")
        yield kind, content
        at += 12 + length


def join_chunks(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Return the file these chunks make."""
    parts = [SIGNATURE]
    for kind, content in chunks:
        parts += [_HEAD.pack(len(content), kind), content, _crc(kind, content)]
    return b"".join(parts)


def text_chunk(keyword: str, text: str) -> tuple[bytes, bytes]:
    """Return a tEXt chunk, or iTXt where Latin-1 cannot say it."""
    text = text.replace("\x00", "\ufffd")
    try:
        return b"tEXt", keyword.encode("ascii") + b"\x00" + text.encode("latin-1")
    except UnicodeEncodeError:
        # keyword, uncompressed, no language, no translated keyword
        return b"iTXt", keyword.encode("ascii") + b"\x00\x00\x00\x00\x00" + text.encode(
            "utf-8", "replace"
        )


def read_text_chunk(kind: bytes, content: bytes) -> tuple[str, str] | None:
    """Return keyword and text of a text chunk; None for any other, or a malformed one."""
    keyword, _, rest = content.partition(b"\x00")
    try:
        if kind == b"tEXt":
            return keyword.decode("latin-1"), rest.decode("latin-1")
        if kind == b"zTXt":
            return keyword.decode("latin-1"), _inflate(rest[1:]).decode("latin-1")
        if kind == b"iTXt":
            compressed = rest[0] == 1
            _language, _, rest = rest[2:].partition(b"\x00")
            _translated, _, rest = rest.partition(b"\x00")
            return keyword.decode("latin-1"), (_inflate(rest) if compressed else rest).decode()
    except (IndexError, UnicodeDecodeError, zlib.error):
        return None
    return None


def _inflate(content: bytes) -> bytes:
    return zlib.decompressobj().decompress(content, _MAX_TEXT_BYTES)


def _crc(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
