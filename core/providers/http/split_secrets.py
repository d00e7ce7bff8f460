"""Secrets that a stream brings in pieces: each event holds a part, and none of them is one."""

import re

from core.wire.masking.secrets import KnownSecrets, known_secrets

# Strings of one name, as they follow each other, are one text to whoever puts them together.
_PIECE = re.compile(
    rb'"(content|reasoning_content|arguments|text|delta|token)"\s*:\s*"((?:[^"\\]|\\.)*)"'
)


def blanked(body: bytes, known: KnownSecrets = known_secrets) -> bytes:
    """Return a body, as long as it was, whose strings make no known secret together either."""
    pieces: dict[bytes, list[tuple[int, int]]] = {}
    for match in _PIECE.finditer(body):
        pieces.setdefault(match[1], []).append(match.span(2))
    changed = bytearray(body)
    for spans in pieces.values():
        at = 0
        shown = known.blank_bytes(b"".join(body[start:end] for start, end in spans))
        for start, end in spans:
            changed[start:end] = shown[at : at + end - start]
            at += end - start
    return bytes(changed)
