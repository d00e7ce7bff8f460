"""Response objects and their output items."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from core.models.chat import Message, Usage
from core.web.chat.notices import Noticed
from core.web.chat.tool_calls import calls_of
from core.web.openai.chunks import CachedTokens, ReasoningTokens
from core.work.chat.buffers.cursors import Cursor

Json = dict[str, Any]

# Why an answer is not all there, by the provider's finish_reason.
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_Stage = Literal["in_progress", "completed"]


class ReasoningText(Struct, tag_field="type", tag="reasoning_text"):
    """The part that thinking stands in."""

    text: str


class OutputText(Struct, tag_field="type", tag="output_text"):
    """The part that words stand in."""

    text: str
    annotations: list[Any] = []
    logprobs: list[Any] = []


class ReasoningItem(Struct, tag_field="type", tag="reasoning"):
    """Thinking; empty as it begins."""

    id: str
    content: list[ReasoningText]
    summary: list[Any] = []


class MessageItem(Struct, tag_field="type", tag="message"):
    """Words; empty as they begin."""

    id: str
    status: _Stage
    content: list[OutputText]
    role: Literal["assistant"] = "assistant"


class CallItem(Struct, tag_field="type", tag="function_call"):
    """A call; without arguments as it begins."""

    id: str
    status: _Stage
    call_id: str
    name: str
    arguments: str


OutputItem = ReasoningItem | MessageItem | CallItem


class ResponseUsage(Struct):
    """Tokens by the names of this API."""

    input_tokens: int
    input_tokens_details: CachedTokens
    output_tokens: int
    output_tokens_details: ReasoningTokens
    total_tokens: int


class ResponseFault(Struct):
    """Why there is no whole answer."""

    code: str
    message: str


class Incomplete(Struct):
    """Why an answer is not all there."""

    reason: str


class Response(Noticed, tag_field="object", tag="response", kw_only=True):
    """A response; what was asked stands in it as it was posted."""

    id: str
    created_at: int
    status: Literal["in_progress", "completed", "incomplete", "failed"] = "in_progress"
    background: bool = False
    error: ResponseFault | None = None
    incomplete_details: Incomplete | None = None
    instructions: Any
    max_output_tokens: Any
    model: str | None
    output: list[OutputItem] = field(default_factory=list)
    parallel_tool_calls: bool = True
    previous_response_id: None = None
    reasoning: Any
    store: bool = False
    temperature: Any
    text: Any
    tool_choice: Any
    tools: Any
    top_p: Any
    truncation: Literal["disabled"] = "disabled"
    usage: ResponseUsage | None = None
    metadata: Any


def response_object(
    answer_id: str, model: str | None, created: int, body: Mapping[str, Any]
) -> Response:
    """Return a response as it begins: what was asked, and nothing of the answer."""
    return Response(
        id=f"resp_{answer_id}",
        created_at=created,
        instructions=body.get("instructions"),
        max_output_tokens=body.get("max_output_tokens"),
        model=model,
        reasoning=body.get("reasoning") or {"effort": None, "summary": None},
        temperature=body.get("temperature"),
        text=body.get("text") or {"format": {"type": "text"}},
        tool_choice=body.get("tool_choice") or "auto",
        tools=body.get("tools") or [],
        top_p=body.get("top_p"),
        metadata=body.get("metadata") or {},
    )


def ended(response: Response, output: list[OutputItem], message: Message) -> Response:
    """Return a response as it is when its answer is there."""
    reason = _INCOMPLETE.get(message.finish_reason or "")
    return replace(
        response,
        status="incomplete" if reason else "completed",
        model=message.model,
        output=output,
        incomplete_details=Incomplete(reason) if reason else None,
        usage=None if message.usage is None else _usage(message.usage),
    )


def output_of(message: Message, begun: Cursor) -> list[OutputItem]:
    """Return the items of a whole answer: thinking, words, calls."""
    items: list[OutputItem] = []
    if thought := message.reasoning_content[begun.reasoning :]:
        items.append(reasoning_item(f"rs_{message.id}", thought))
    content, calls = message.content[begun.content :], calls_of(message)
    if content or not calls:
        items.append(message_item(f"msg_{message.id}", content))
    for number, call in enumerate(calls):
        named = (f"fc_{message.id}_{number}", call.id, call.function.name)
        items.append(call_item(*named, call.function.arguments))
    return items


def reasoning_item(item_id: str, text: str | None = None) -> ReasoningItem:
    """Return thinking; without text as it begins."""
    return ReasoningItem(item_id, [] if text is None else [ReasoningText(text)])


def message_item(item_id: str, text: str | None = None) -> MessageItem:
    """Return words; without text as they begin."""
    if text is None:
        return MessageItem(item_id, "in_progress", [])
    return MessageItem(item_id, "completed", [OutputText(text)])


def call_item(item_id: str, call_id: str, name: str, arguments: str | None = None) -> CallItem:
    """Return a call; without arguments as it begins."""
    status: _Stage = "in_progress" if arguments is None else "completed"
    return CallItem(item_id, status, call_id, name, arguments or "")


def _usage(usage: Usage) -> ResponseUsage:
    prompt, completion = usage.prompt_tokens or 0, usage.completion_tokens or 0
    return ResponseUsage(
        prompt,
        CachedTokens(usage.cache_hit_tokens or 0),
        completion,
        ReasoningTokens(usage.reasoning_tokens or 0),
        usage.total_tokens or prompt + completion,
    )
