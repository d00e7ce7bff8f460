"""The usual event of a streamed answer, read the short way: one more piece of one of its texts."""

from typing import Any

import msgspec

from core.models.deltas import Delta

_NONE = msgspec.Raw()
_EMPTY = frozenset({b"", b"null", b'""', b"[]", b"{}"})


class _Said(msgspec.Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    thinking: msgspec.Raw = _NONE
    thinking_content: msgspec.Raw = _NONE
    thought: msgspec.Raw = _NONE
    reasoning_details: msgspec.Raw = _NONE
    tool_calls: Any = None
    refusal: Any = None
    function_call: Any = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Said
    finish_reason: str | None = None
    index: Any = 0
    error: Any = None
    message: Any = None
    logprobs: Any = None


class _Event(msgspec.Struct):
    choices: list[_Choice]
    model: str | None = None
    usage: Any = None
    error: Any = None


# Everything else in an event is passed over without becoming an object: that is half the time.
_decode_event = msgspec.json.Decoder(_Event).decode


def plain_text(data: bytes | bytearray, model: str | None) -> Delta | None:
    """Return the text of an event that adds nothing but text of one part, from a known model.

    None when it adds anything else, or is none: `ReplyReader` then reads all of it.
    """
    try:
        event = _decode_event(data)
        (choice,) = event.choices
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if (
        choice.finish_reason
        or choice.index
        or choice.error
        or choice.message
        or choice.logprobs
        or choice.delta.tool_calls
        or choice.delta.refusal
        or choice.delta.function_call
        or event.usage
        or event.error
        or (event.model != model and event.model is not None)
    ):
        return None
    delta = choice.delta
    reasoning = delta.reasoning_content or delta.reasoning
    if _thinks_elsewhere(delta, is_known=bool(reasoning)):
        return None
    if not reasoning:
        return Delta("content", [delta.content]) if delta.content else None
    return None if delta.content else Delta("reasoning_content", [reasoning])


def _thinks_elsewhere(delta: _Said, *, is_known: bool) -> bool:
    """Tell whether thinking stands in a field of another name."""
    return not (
        bytes(delta.thinking) in _EMPTY
        and bytes(delta.thinking_content) in _EMPTY
        and bytes(delta.thought) in _EMPTY
        and (is_known or bytes(delta.reasoning_details) in _EMPTY)
    )
