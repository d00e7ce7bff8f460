"""JSON codec of content parts: what `messages.parts`, and an export, hold of a message.

NULL where a message is one text alone. The text that is the whole plain text is left out: it
stands in `messages.content` already.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from core.models.parts import (
    FilePart,
    LookupPart,
    Part,
    PicturePart,
    SourcePart,
    TextPart,
    ToolCall,
    ToolResult,
    ToolStep,
    plain_text,
)
from core.storage.chat.kept_steps import few_steps, kept_step

_KINDS: dict[str, type[Part]] = {
    "text": TextPart,
    "picture": PicturePart,
    "file": FilePart,
    "tool_call": ToolCall,
    "tool_result": ToolResult,
    "lookup": LookupPart,
    "source": SourcePart,
    "step": ToolStep,
}
_KIND_OF = {part: kind for kind, part in _KINDS.items()}
_NAMES = {part: tuple(field.name for field in fields(part)) for part in _KIND_OF}


def parts_out(parts: tuple[Part, ...]) -> list[dict[str, str]] | None:
    """Return the JSON value of parts."""
    if not parts or (len(parts) == 1 and isinstance(parts[0], TextPart) and parts[0].text):
        return None
    text = plain_text(parts)
    return [_out(part, text) for part in parts]


def parts_in(value: object, text: str) -> tuple[Part, ...]:
    """Return the parts of a row whose plain text is `text`; what is none of ours is left out."""
    if not isinstance(value, list):
        return ()
    return few_steps([part for one in value if (part := part_from(one, text)) is not None])


def part_from(value: object, text: str) -> Part | None:
    """Return one part, or None where this is none; fields of a later version are left out."""
    if not isinstance(value, Mapping) or (kind := _KINDS.get(str(value.get("type")))) is None:
        return None
    given: dict[str, Any] = {name: value[name] for name in _NAMES[kind] if name in value}
    if kind is TextPart:
        given.setdefault("text", text)
    if not all(isinstance(one, str) for one in given.values()):
        return None
    try:
        part = kind(**given)
    except TypeError:  # one that it cannot be without is missing
        return None
    return kept_step(part) if isinstance(part, ToolStep) else part


def _out(part: Part, text: str) -> dict[str, str]:
    kind = {"type": _KIND_OF[type(part)]}
    if isinstance(part, TextPart) and part.text == text:
        return kind
    return kind | {name: str(getattr(part, name)) for name in _NAMES[type(part)]}
