"""Markdown that shows words exactly as they are."""

_MARKDOWN_SIGNS = frozenset("\\`*_{}[]()<>#+-.!|~$:")


def literal(words: str) -> str:
    """Return Markdown that shows exactly these words."""
    return "".join(f"\\{sign}" if sign in _MARKDOWN_SIGNS else sign for sign in words)
