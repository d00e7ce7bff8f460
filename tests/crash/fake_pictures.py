"""Small pictures of which no two are alike."""

import struct
import zlib


def make_png(words: str, *, width: int = 48, height: int = 32) -> bytes:
    """Return a small picture that differs with `words` in pixels and in text."""
    seed = zlib.crc32(words.encode())
    row = b"\0" + bytes((seed >> shift) & 255 for shift in (0, 8, 16)) * width
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"tEXt", b"Comment\0" + words.encode()),
        (b"IDAT", zlib.compress(row * height)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
