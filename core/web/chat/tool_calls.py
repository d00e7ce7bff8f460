"""Tool calls of an answer as OpenAI's clients read them, whole and piece by piece."""

from collections.abc import Sequence

from msgspec import Struct

from core.models.chat import Message
from core.models.notices import has_tools
from core.models.parts import ToolCall
from core.work.chat.buffers.tool_call_buffer import CallGrowth

CALLS_REASON = "tool_calls"


class FunctionReply(Struct):
    """What is to be called; `arguments` as the model wrote them."""

    name: str
    arguments: str


class CallReply(Struct, tag_field="type", tag="function"):
    """A call that whoever asked is to make."""

    id: str
    function: FunctionReply


def calls_of(message: Message) -> list[CallReply]:
    """Return the calls that whoever asked is to make.

    What a model wanted that was offered no tools is told in a notice: nobody could make it.
    """
    if not (has_tools(message.error_facts) or message.finish_reason == CALLS_REASON):
        return []
    return [
        CallReply(part.id, FunctionReply(part.name, part.arguments))
        for part in message.parts
        if isinstance(part, ToolCall)
    ]


def growth_json(growths: Sequence[CallGrowth]) -> list[dict[str, object]]:
    """Return what calls gained, as deltas; id and name with the first of each."""
    return [_delta(growth) for growth in growths]


def finish_reason(message: Message) -> str:
    """Return why it ended; some servers say `stop` where the model wants a tool."""
    reason = message.finish_reason or "stop"
    return CALLS_REASON if reason == "stop" and calls_of(message) else reason


def _delta(growth: CallGrowth) -> dict[str, object]:
    if not growth.is_new:
        return {"index": growth.number, "function": {"arguments": growth.arguments}}
    return {
        "index": growth.number,
        "id": growth.id,
        "type": "function",
        "function": {"name": growth.name, "arguments": growth.arguments},
    }
