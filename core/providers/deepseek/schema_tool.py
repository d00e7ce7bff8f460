"""JSON schema output where a server has none: a tool whose arguments are the answer.

DeepSeek's chat has JSON mode only (deepseek.md section 7). While thinking it takes no forced tool
either: JSON mode is asked for then, and the schema stands in the prompt.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import chain

from core.models.chat_options import ChatOptions
from core.models.deltas import Delta
from core.models.parts import ToolCallPiece

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DESCRIPTION = "Give the answer. Call this once, with all of it."
_PROMPT = "Answer with JSON alone, one object that follows this JSON schema:\n"
# What strict tools do not know: with any of them a schema goes without.
_NOT_STRICT = frozenset(
    {"minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "patternProperties"}
    | {"oneOf", "allOf", "not", "if", "then", "else", "prefixItems", "contains"}
)


def with_schema_tool(options: ChatOptions) -> tuple[ChatOptions, str]:
    """Return options that ask for the schema by a tool, and that tool's name."""
    wanted = options.json_schema or {}
    taken = {tool["function"]["name"] for tool in options.tools}
    name = _free_name(str(wanted.get("name") or ""), taken)
    schema = wanted.get("schema") or {"type": "object"}
    function = {"name": name, "description": wanted.get("description") or _DESCRIPTION}
    function["parameters"] = schema
    others_are_strict = all(tool["function"].get("strict") for tool in options.tools)
    if wanted.get("strict") and others_are_strict and is_strict(schema):
        function["strict"] = True
    tool = {"type": "function", "function": function}
    must_call = {"type": "function", "function": {"name": name}}
    is_only = not options.tools or options.tool_choice == "none"
    return (
        replace(
            options,
            tools=(*options.tools, tool),
            tool_choice=must_call if is_only else "required",
            response_format=None,
        ),
        name,
    )


def _free_name(wished: str, taken: Collection[str]) -> str:
    """Return a tool's name that no other tool has: the wished one, where it can be had."""
    numbered = (f"answer_{number}" for number in range(len(taken) + 1))
    names = chain((wished, "answer"), numbered)
    return next(name for name in names if _NAME.fullmatch(name) and name not in taken)


def schema_prompt(options: ChatOptions) -> str:
    """Return what the prompt says of the schema where JSON mode is all there is."""
    schema = (options.json_schema or {}).get("schema") or {"type": "object"}
    return _PROMPT + json.dumps(schema, ensure_ascii=False)


def is_strict(schema: object) -> bool:
    """Tell whether a strict tool takes a schema: all required, and nothing but what it names."""
    try:
        return _is_strict(schema)
    except (RecursionError, TypeError):  # too deep, or `required` is no list of names
        return False


def _is_strict(schema: object) -> bool:
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, Mapping):
        return True
    if _NOT_STRICT & schema.keys():
        return False
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties")
        if not isinstance(properties, Mapping) or not properties:
            return False
        is_closed = schema.get("additionalProperties") is False
        if not is_closed or set(schema.get("required") or ()) != set(properties):
            return False
        if not all(map(_is_strict, properties.values())):
            return False
    elsewhere = ("properties", "required", "enum", "const", "default")
    return all(_is_strict(value) for key, value in schema.items() if key not in elsewhere)


class CallAsContent:
    """Tells the calls of one tool as the answer's text, the others as they are."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._ours: set[int] = set()
        self._has_others = False

    def take(self, delta: Delta) -> Delta:
        """Return what a delta adds, read that way."""
        part, texts, extras = delta
        if extras is None:
            return delta
        kept = tuple(piece for piece in extras.tool_calls if not self._is_ours(piece))
        self._has_others = self._has_others or bool(kept)
        called = [p.arguments for p in extras.tool_calls if p.index in self._ours and p.arguments]
        reason = extras.finish_reason
        if reason == "tool_calls" and self._ours and not self._has_others:
            reason = "stop"
        extras = extras._replace(tool_calls=kept, finish_reason=reason)
        return Delta(part, [*texts, *called], extras)

    def _is_ours(self, piece: ToolCallPiece) -> bool:
        if piece.name == self._name:
            self._ours.add(piece.index)
        elif piece.name:
            self._ours.discard(piece.index)
        return piece.index in self._ours
