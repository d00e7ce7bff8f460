"""A reply's shapes on the wire: the whole body, pieces of its text, and its tool calls."""

import random

from core.practice.chat.reply import Reply
from core.practice.chat.skills.likelihoods import logprobs_of
from core.practice.faults import Faults

SYSTEM_FINGERPRINT = "fp_practice_v4_1_1017"
_LONGEST_DELTA = 8


def split_deltas(text: str, seed: str) -> list[str]:
    """Return the text in pieces of one to eight characters, the same for the same seed."""
    dice = random.Random(seed)
    pieces, position = [], 0
    while position < len(text):
        size = dice.randint(1, _LONGEST_DELTA)
        pieces.append(text[position : position + size])
        position += size
    return pieces


def tool_deltas(reply: Reply, index: int) -> list[dict[str, object]]:
    """Return the deltas of one tool call: its name, then its arguments in pieces."""
    call = reply.calls[index]
    first = {
        "index": index,
        "id": _tool_call_id(reply, index),
        "type": "function",
        "function": {"name": call.name, "arguments": ""},
    }
    pieces = split_deltas(call.arguments, "tool")
    later = [{"index": index, "function": {"arguments": piece}} for piece in pieces]
    return [{"tool_calls": [one]} for one in (first, *later)]


def whole_body(reply: Reply, faults: Faults) -> dict[str, object]:
    """Return a whole reply."""
    message: dict[str, object] = {"role": "assistant", "content": reply.content}
    if reply.reasoning is not None:
        message["reasoning_content"] = reply.reasoning
    if reply.calls:
        message["tool_calls"] = [_whole_call(reply, index) for index in range(len(reply.calls))]
    body: dict[str, object] = {
        "id": reply.id,
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": _whole_logprobs(reply),
                "finish_reason": reply.finish_reason,
            }
        ],
        "usage": reply.usage,
        "system_fingerprint": SYSTEM_FINGERPRINT,
    }
    if "no-usage" in faults:
        del body["usage"]
    return body


def _whole_call(reply: Reply, index: int) -> dict[str, object]:
    call = reply.calls[index]
    function = {"name": call.name, "arguments": call.arguments}
    call_id = _tool_call_id(reply, index)
    return {"index": index, "id": call_id, "type": "function", "function": function}


def _tool_call_id(reply: Reply, index: int) -> str:
    return f"call_{index:02}_{reply.id.replace('-', '')[:20]}"


def _whole_logprobs(reply: Reply) -> dict[str, object] | None:
    if reply.logprobs is None:
        return None
    texts = {"content": reply.content, "reasoning_content": reply.reasoning or ""}
    return {
        part: logprobs_of(split_deltas(text, text[:64]), reply.logprobs)
        for part, text in texts.items()
        if text
    }
