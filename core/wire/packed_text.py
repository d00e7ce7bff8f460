"""Packed text: kept in memory as a str or as its UTF-8, whichever is smaller."""

import sys


def packed(text: str) -> str | bytes:
    """Return the text, or its UTF-8 if that is smaller.

    A single Chinese character makes all others of a str take two bytes each, an emoji four. Pure
    Chinese is smaller as it is.
    """
    encoded = text.encode("utf-8", "surrogatepass")
    return encoded if sys.getsizeof(encoded) < sys.getsizeof(text) else text


def unpacked(block: str | bytes) -> str:
    """Return the text that was packed."""
    return block if isinstance(block, str) else block.decode("utf-8", "surrogatepass")
