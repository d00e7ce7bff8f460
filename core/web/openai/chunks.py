"""Completions in OpenAI's shape: the chunks of a stream, and a whole one."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from core.models.chat import Message, Usage
from core.models.parts import SourcePart
from core.web.chat.citations import Annotation, SourceReply, annotations_of, source_replies
from core.web.chat.notices import Noticed
from core.web.chat.steps import StepReply
from core.web.chat.tool_calls import CallReply, calls_of, finish_reason, growth_json
from core.wire.masking.secrets import known_secrets
from core.work.chat.buffers.cursors import Cursor, Pieces
from core.work.chat.buffers.logprobs_buffer import Entry

_encode = msgspec.json.Encoder().encode


class CachedTokens(Struct):
    """Of the prompt."""

    cached_tokens: int


class ReasoningTokens(Struct):
    """Of the answer."""

    reasoning_tokens: int


class UsageReply(Struct):
    """Tokens by OpenAI's names, and the cache by DeepSeek's."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens | UnsetType = UNSET
    prompt_cache_hit_tokens: int | UnsetType = UNSET
    prompt_cache_miss_tokens: int | UnsetType = UNSET
    completion_tokens_details: ReasoningTokens | UnsetType = UNSET


class Said(Struct, tag_field="role", tag="assistant"):
    """What the model said, thought, calls and cites."""

    content: str | None
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[CallReply] | UnsetType = UNSET
    annotations: list[Annotation] | UnsetType = UNSET


class Choice(Struct):
    """The answer; `logprobs` as the provider writes them."""

    index: int
    message: Said
    logprobs: dict[str, Any] | None
    finish_reason: str


class Completion(Noticed, tag_field="object", tag="chat.completion"):
    """A whole completion, and the tools and sources of the studio."""

    id: str
    created: int
    model: str | None
    choices: list[Choice]
    usage: UsageReply | None
    steps: list[StepReply] | UnsetType = UNSET
    sources: list[SourceReply] | UnsetType = UNSET


class Chunks:
    """Builds the chunks of one stream; what is the same in all is encoded once."""

    def __init__(self, answer_id: str, model: str, created: int) -> None:
        head = {
            "id": f"chatcmpl-{answer_id}",
            "object": "chat.completion.chunk",
            "created": created,
            "model": known_secrets.wash(model),
        }
        self._head = b"data: " + _encode(head)[:-1]
        self._is_first = True

    def of(self, pieces: Pieces) -> bytes:
        """Return chunks for what came: one for each piece, and one for what gained calls."""
        events = bytearray()
        if pieces.logprobs:
            events += self._with_logprobs(pieces)
        else:
            events += self._texts("reasoning_content", pieces.reasoning)
            events += self._texts("content", pieces.content)
        if pieces.calls:
            events += self._begin()
            events += self._choice({"tool_calls": growth_json(pieces.calls)}, None)
        return bytes(events)

    def last(
        self, reason: str, beside: dict[str, object], delta: dict[str, object] | None = None
    ) -> bytes:
        """Return the chunk that says why the answer ended, and what stands beside its choices."""
        return self._begin() + self._choice(delta or {}, reason, beside)

    def usage(self, usage: Usage) -> bytes:
        """Return the chunk without choices that tells the tokens."""
        return self._head + b',"choices":[],"usage":' + _encode(usage_of(usage)) + b"}\n\n"

    def _begin(self) -> bytes:
        if not self._is_first:
            return b""
        self._is_first = False
        return self._choice({"role": "assistant", "content": ""}, None)

    def _texts(self, name: str, pieces: list[str]) -> bytes:
        if not pieces:
            return b""
        events = bytearray(self._begin())
        head = self._head + b',"choices":[{"index":0,"delta":{"' + name.encode() + b'":'
        for piece in pieces:
            events += head
            events += _encode(piece)
            events += b'},"finish_reason":null}]}\n\n'
        return bytes(events)

    def _with_logprobs(self, pieces: Pieces) -> bytes:
        """Return one chunk for all that came: tokens and texts are not the same pieces."""
        texts = {"reasoning_content": pieces.reasoning, "content": pieces.content}
        delta: dict[str, object] = {name: "".join(one) for name, one in texts.items() if one}
        choice = {"index": 0, "delta": delta, "logprobs": logprobs_json(pieces.logprobs)}
        fields = _encode({"choices": [choice | {"finish_reason": None}]})
        return self._begin() + self._head + b"," + fields[1:] + b"\n\n"

    def _choice(
        self,
        delta: dict[str, object],
        reason: str | None,
        beside: dict[str, object] | None = None,
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        fields = _encode({"choices": [choice], **(beside or {})})
        return self._head + b"," + fields[1:] + b"\n\n"


def completion(
    message: Message,
    begun: Cursor,
    logprobs: Sequence[Entry],
    created: int,
    sources: Sequence[SourcePart] = (),
) -> Completion:
    """Return a whole completion: what came behind what it was `begun` with, and whom it cites."""
    content, calls = message.content[begun.content :], calls_of(message)
    said = Said(
        content or (None if calls else ""),
        message.reasoning_content[begun.reasoning :] or UNSET,
        calls or UNSET,
        annotations_of(sources, content) if sources else UNSET,
    )
    told = logprobs_json(logprobs) if logprobs else None
    return Completion(
        f"chatcmpl-{message.id}",
        created,
        message.model,
        [Choice(0, said, told, finish_reason(message))],
        None if message.usage is None else usage_of(message.usage),
        sources=source_replies(sources) or UNSET,
    )


def logprobs_json(entries: Sequence[Entry]) -> dict[str, object]:
    """Return the entries as a provider writes them: a list for the text, one for the thinking."""
    told: dict[str, object] = {"content": [one for part, one in entries if part == "content"]}
    thought = [one for part, one in entries if part != "content"]
    return told | ({"reasoning_content": thought} if thought else {})


def usage_of(usage: Usage) -> UsageReply:
    """Return the tokens by OpenAI's names, and the cache by DeepSeek's."""
    prompt, completion_tokens = usage.prompt_tokens or 0, usage.completion_tokens or 0
    told = UsageReply(prompt, completion_tokens, usage.total_tokens or prompt + completion_tokens)
    if (hit := usage.cache_hit_tokens) is not None:
        told.prompt_tokens_details = CachedTokens(hit)
        told.prompt_cache_hit_tokens = hit
        missed = usage.cache_miss_tokens
        told.prompt_cache_miss_tokens = max(prompt - hit, 0) if missed is None else missed
    if usage.reasoning_tokens is not None:
        told.completion_tokens_details = ReasoningTokens(usage.reasoning_tokens)
    return told
