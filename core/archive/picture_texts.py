"""Washing a picture's texts: comments and metadata of a fetched file, never its pixels."""

from core.archive.png_chunks import SIGNATURE, iter_chunks, join_chunks, read_text_chunk
from core.wire.masking.secrets import known_secrets

_PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS")
# Where formats other than PNG have their metadata: before the pixels, or behind them.
_MARGIN_BYTES = 256 * 1024


def wash_picture(content: bytes) -> bytes:
    """Return the picture without known secrets in its texts; itself, where there are none."""
    return _png(content) if content.startswith(SIGNATURE) else _other(content)


def _png(content: bytes) -> bytes:
    try:
        chunks = list(iter_chunks(content))
    except ValueError:
        return content  # what is damaged is no picture, and is not kept
    length = len(SIGNATURE) + sum(len(chunk) + 12 for _, chunk in chunks)
    kept = [chunk for chunk in chunks if not _tells(*chunk)]
    tells_behind = _is_written(content[length:])
    return join_chunks(kept) if len(kept) < len(chunks) or tells_behind else content


def _tells(kind: bytes, chunk: bytes) -> bool:
    if kind in _PIXELS:
        return False
    found = read_text_chunk(kind, chunk)
    return _is_written(chunk) or (found is not None and known_secrets.is_in("\n".join(found)))


def _other(content: bytes) -> bytes:
    """Blank them in place: lengths and offsets of the format stay right."""
    if len(content) <= 2 * _MARGIN_BYTES:
        return known_secrets.blank_bytes(content)
    middle = content[_MARGIN_BYTES:-_MARGIN_BYTES]
    head, tail = content[:_MARGIN_BYTES], content[-_MARGIN_BYTES:]
    return known_secrets.blank_bytes(head) + middle + known_secrets.blank_bytes(tail)


def _is_written(content: bytes) -> bool:
    return known_secrets.is_in(content.decode("latin-1"))
