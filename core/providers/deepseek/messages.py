"""The `messages` of a chat request from turns, and the tool calls of an answer (deepseek.md §7)."""

import json
from collections.abc import Iterable
from typing import Any

from core.models.chat import Turn
from core.models.parts import (
    Part,
    PicturePart,
    TextPart,
    ToolCall,
    ToolCallPiece,
    ToolResult,
    plain_text,
    sources_in,
)
from core.providers.deepseek.endpoint import ChatEndpoint
from core.providers.http.redaction import opaque_id, short_word
from core.wire.attachments.block import NAME_MOST, attachments_block
from core.wire.web.block import web_block
from core.wire.web.washing import plain_words

_INDEX_MOST = 1 << 20


def messages_from(turns: Iterable[Turn], server: ChatEndpoint) -> list[dict[str, Any]]:
    """Return what a request says was said; each tool result is a message of its own."""
    messages: list[dict[str, Any]] = []
    for turn in turns:
        if turn.role != "tool":
            messages.append(_message(turn, server))
            continue
        messages += [
            {"role": "tool", "tool_call_id": part.call_id, "content": part.content}
            | ({"name": part.name} if part.name else {})
            for part in turn.content
            if isinstance(part, ToolResult)
        ]
    return messages


def tool_calls_from(value: Any) -> tuple[ToolCallPiece, ...]:
    """Return the tool calls in a delta or a message; a server that leaves out `index` counts."""
    if not isinstance(value, list):
        return ()
    return tuple(
        _piece(entry, place) for place, entry in enumerate(value) if isinstance(entry, dict)
    )


def _message(turn: Turn, server: ChatEndpoint) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role, "content": _content(turn.content)}
    if turn.name:
        message["name"] = turn.name
    calls = [_call(part) for part in turn.content if isinstance(part, ToolCall)]
    if calls:
        message["tool_calls"] = calls
    if server.speaks_deepseek:
        if turn.reasoning_content is not None:
            message["reasoning_content"] = turn.reasoning_content
        if turn.prefix:
            message["prefix"] = True
    return message


def _content(parts: tuple[Part, ...]) -> str | list[dict[str, Any]]:
    """Return one text where there is no picture: all servers take that, and caches know it."""
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        return parts[0].text
    # Behind what a person said: what came before stays as a cache knows it.
    blocks = "\n\n".join(filter(None, (attachments_block(parts), web_block(sources_in(parts)))))
    if any(isinstance(part, PicturePart) for part in parts):
        shown = [part for part in parts if isinstance(part, TextPart | PicturePart)]
        return [_content_part(part) for part in (*shown, *([TextPart(blocks)] if blocks else []))]
    words = plain_text(parts)
    return "\n\n".join(filter(None, (words, blocks)))


def _content_part(part: TextPart | PicturePart) -> dict[str, Any]:
    if isinstance(part, PicturePart) and part.url:
        detail = {"detail": part.detail} if part.detail else {}
        return {"type": "image_url", "image_url": {"url": part.url, **detail}}
    # A picture that is not here any more is told, not passed over.
    if isinstance(part, PicturePart):
        name = plain_words(part.name, NAME_MOST, is_line=True)
        return {"type": "text", "text": f"[missing picture: {name}]"}
    return {"type": "text", "text": part.text}


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _piece(entry: dict[str, Any], place: int) -> ToolCallPiece:
    index, function = entry.get("index"), entry.get("function")
    if not isinstance(function, dict):
        function = {}
    arguments = function.get("arguments")
    if isinstance(arguments, dict | list):  # as some servers write them
        arguments = json.dumps(arguments, ensure_ascii=False)
    return ToolCallPiece(
        index if type(index) is int and 0 <= index < _INDEX_MOST else place,
        opaque_id(entry.get("id")) or "",
        short_word(function.get("name")) or "",
        arguments if isinstance(arguments, str) else "",
    )
