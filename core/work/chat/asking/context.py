"""Context window of a question: the conversation before it, as the provider reads it."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.models.chat import Conversation, Turn
from core.models.notices import moved_text
from core.models.parts import Blob, Part, PicturePart, ToolCall, ToolResult, plain_text, with_text
from core.storage.store import Store
from core.wire.words.sorted_words import sort_words
from core.work.chat.asking.steps import answer_turns, begun_turns
from core.work.chat.live_answer import LiveAnswer


def stored_turns(
    store: Store,
    owner: str,
    conversation: Conversation,
    live: LiveAnswer,
    *,
    with_reasoning: bool,
    with_steps: bool = False,
) -> list[Turn]:
    """Return the turns that lead to a stored answer, its own beginning included.

    `with_steps`: with the calls of the studio's tools that earlier answers made.
    """
    path = store.messages.path(owner, conversation.id, head_id=live.message_id)
    turns: list[Turn] = []
    current = store.conversations.get(owner, conversation.id) or conversation
    if current.system_prompt.strip():
        turns.append(Turn.of_text("system", current.system_prompt))
    for message in path:
        reasoning = message.reasoning_content
        if message.id == live.message_id:
            turns += begun_turns(message, with_steps=with_steps, with_reasoning=with_reasoning)
        else:
            parts = tuple(_with_bytes(store, owner, part) for part in message.said())
            if message.role == "assistant":
                is_apart = bool(reasoning) or moved_text(message.error_facts) is not None
                parts, reasoning = _without_thinking(parts, reasoning, is_apart=is_apart)
                turns += answer_turns(
                    parts, reasoning, with_steps=with_steps, with_reasoning=with_reasoning
                )
                continue
            turns.append(Turn(message.role, parts, reasoning))
    return sent_turns(turns, with_reasoning=with_reasoning)


def posted_turns(turns: Sequence[Turn], *, with_reasoning: bool) -> list[Turn]:
    """Return what is sent of turns that a program keeps: all of it, in its own order.

    Where the provider asks for reasoning, an answer without any has an empty one: many clients do
    not keep it, and left out it is refused (deepseek.md section 7).
    """
    sent = []
    for turn in turns:
        reasoning = turn.reasoning_content if turn.prefix else None
        if with_reasoning and turn.role == "assistant":
            reasoning = turn.reasoning_content or ""
        sent.append(replace(turn, reasoning_content=reasoning))
    return sent


def with_attached(turns: Sequence[Turn], attached: Sequence[Blob]) -> list[Turn]:
    """Return turns whose pictures have their bytes in the address."""
    if not attached:
        return list(turns)
    urls = {blob.sha256: _data_url(blob) for blob in attached}
    return [
        replace(turn, content=tuple(_with_url(part, urls) for part in turn.content))
        for turn in turns
    ]


def sent_turns(turns: Sequence[Turn], *, with_reasoning: bool) -> list[Turn]:
    """Return what is sent of these turns: nothing empty, and earlier reasoning only where it is
    asked for, or tools were used (deepseek.md §7)."""
    called = {p.id for t in turns for p in t.content if isinstance(p, ToolCall)}
    answered = {p.call_id for t in turns for p in t.content if isinstance(p, ToolResult)}
    with_reasoning = with_reasoning or bool(answered & called)
    sent: list[Turn] = []
    for turn in turns:
        content = turn.content
        if called or answered:
            content = _fitting(content, answered & called)
        if content:
            keeps = turn.prefix or (with_reasoning and turn.role == "assistant")
            reasoning = turn.reasoning_content if keeps else None
            sent.append(Turn(turn.role, content, reasoning, turn.prefix))
    return sent


def _without_thinking(
    parts: tuple[Part, ...], reasoning: str, *, is_apart: bool
) -> tuple[tuple[Part, ...], str]:
    """Tell apart what a model thought in its text: so did older versions keep it, and imports."""
    said = sort_words(plain_text(parts), is_thought_apart=is_apart)
    if not (said.reasoning or said.calls):
        return parts, reasoning
    return with_text(parts, said.content), reasoning or said.reasoning


def _with_bytes(store: Store, owner: str, part: Part) -> Part:
    """Return a picture that the store has with its bytes in the address; others as they are."""
    if not isinstance(part, PicturePart) or part.url or not part.sha256:
        return part
    blob = store.messages.blob(owner, part.sha256)
    return part if blob is None else replace(part, url=_data_url(blob))


def _with_url(part: Part, urls: Mapping[str, str]) -> Part:
    if not isinstance(part, PicturePart) or part.sha256 not in urls:
        return part
    return replace(part, url=urls[part.sha256])


def _data_url(blob: Blob) -> str:
    encoded = base64.b64encode(blob.content).decode()
    return f"data:{blob.media_type};base64,{encoded}"


def _fitting(parts: tuple[Part, ...], paired: set[str]) -> tuple[Part, ...]:
    """Leave out calls without their result, and results without their call: both are refused."""
    return tuple(
        part
        for part in parts
        if (not isinstance(part, ToolCall) or part.id in paired)
        and (not isinstance(part, ToolResult) or part.call_id in paired)
    )


def turns_before(
    store: Store, owner: str, conversation: Conversation, parent_id: str | None
) -> list[Turn]:
    """Return what goes with a question: what it costs is to be known before it is stored."""
    turns: list[Turn] = []
    if conversation.system_prompt.strip():
        turns.append(Turn.of_text("system", conversation.system_prompt))
    if parent_id is not None:
        path = store.messages.path(owner, conversation.id, head_id=parent_id)
        turns += [Turn(one.role, one.said()) for one in path]
    return turns
