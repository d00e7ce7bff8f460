"""Response objects and their output items."""

from collections.abc import Mapping
from typing import Any

from core.models.chat import Message, Usage
from core.web.chat.tool_calls import calls_json
from core.work.chat.buffers.cursors import Cursor

Json = dict[str, Any]

# Why an answer is not all there, by the provider's finish_reason.
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def response_object(
    answer_id: str, model: str | None, created: int, body: Mapping[str, Any]
) -> Json:
    """Return a response as it begins: what was asked, and nothing of the answer."""
    return {
        "id": f"resp_{answer_id}",
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": body.get("reasoning") or {"effort": None, "summary": None},
        "store": False,
        "temperature": body.get("temperature"),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p"),
        "truncation": "disabled",
        "usage": None,
        "metadata": body.get("metadata") or {},
    }


def ended(response: Json, message: Message) -> Json:
    """Return a response as it is when its answer is there."""
    reason = _INCOMPLETE.get(message.finish_reason or "")
    more: Json = {"status": "incomplete" if reason else "completed", "model": message.model}
    if reason:
        more["incomplete_details"] = {"reason": reason}
    if message.usage is not None:
        more["usage"] = usage_json(message.usage)
    return response | more


def output_of(message: Message, begun: Cursor) -> list[Json]:
    """Return the items of a whole answer: thinking, words, calls."""
    items: list[Json] = []
    if thought := message.reasoning_content[begun.reasoning :]:
        items.append(reasoning_item(f"rs_{message.id}", thought))
    content, calls = message.content[begun.content :], calls_json(message)
    if content or not calls:
        items.append(message_item(f"msg_{message.id}", content))
    for number, call in enumerate(calls):
        function: Any = call["function"]
        item_id = f"fc_{message.id}_{number}"
        items.append(call_item(item_id, str(call["id"]), function["name"], function["arguments"]))
    return items


def reasoning_item(item_id: str, text: str | None = None) -> Json:
    """Return thinking; without text as it begins."""
    content = [] if text is None else [{"type": "reasoning_text", "text": text}]
    return {"id": item_id, "type": "reasoning", "summary": [], "content": content}


def message_item(item_id: str, text: str | None = None) -> Json:
    """Return words; without text as they begin."""
    return {
        "id": item_id,
        "type": "message",
        "role": "assistant",
        "status": "in_progress" if text is None else "completed",
        "content": [] if text is None else [text_part(text)],
    }


def text_part(text: str) -> Json:
    """Return the part that words stand in."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def call_item(item_id: str, call_id: str, name: str, arguments: str | None = None) -> Json:
    """Return a call; without arguments as it begins."""
    return {
        "id": item_id,
        "type": "function_call",
        "status": "in_progress" if arguments is None else "completed",
        "call_id": call_id,
        "name": name,
        "arguments": arguments or "",
    }


def usage_json(usage: Usage) -> Json:
    """Return the tokens by the names of this API."""
    prompt, completion = usage.prompt_tokens or 0, usage.completion_tokens or 0
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": usage.cache_hit_tokens or 0},
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.total_tokens or prompt + completion,
    }
