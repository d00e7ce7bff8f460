"""Completions in OpenAI's shape: the chunks of a stream, and a whole one."""

from collections.abc import Sequence

import msgspec

from core.models.chat import Message, Usage
from core.models.parts import SourcePart
from core.web.chat.citations import annotations_json
from core.web.chat.tool_calls import calls_json, finish_reason, growth_json
from core.wire.masking.secrets import known_secrets
from core.work.chat.buffers.cursors import Cursor, Pieces
from core.work.chat.buffers.logprobs_buffer import Entry

_encode = msgspec.json.Encoder().encode


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
        return self._head + b',"choices":[],"usage":' + _encode(usage_json(usage)) + b"}\n\n"

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
) -> dict[str, object]:
    """Return a whole completion: what came behind what it was `begun` with, and whom it cites."""
    content, calls = message.content[begun.content :], calls_json(message)
    said: dict[str, object] = {"role": "assistant", "content": content or (None if calls else "")}
    if reasoning := message.reasoning_content[begun.reasoning :]:
        said["reasoning_content"] = reasoning
    if calls:
        said["tool_calls"] = calls
    if sources:
        said["annotations"] = annotations_json(sources, content)
    return {
        "id": f"chatcmpl-{message.id}",
        "object": "chat.completion",
        "created": created,
        "model": message.model,
        "choices": [
            {
                "index": 0,
                "message": said,
                "logprobs": logprobs_json(logprobs) if logprobs else None,
                "finish_reason": finish_reason(message),
            }
        ],
        "usage": None if message.usage is None else usage_json(message.usage),
    }


def logprobs_json(entries: Sequence[Entry]) -> dict[str, object]:
    """Return the entries as a provider writes them: a list for the text, one for the thinking."""
    told: dict[str, object] = {"content": [one for part, one in entries if part == "content"]}
    thought = [one for part, one in entries if part != "content"]
    return told | ({"reasoning_content": thought} if thought else {})


def usage_json(usage: Usage) -> dict[str, object]:
    """Return the tokens by OpenAI's names, and the cache by DeepSeek's."""
    prompt, completion_tokens = usage.prompt_tokens or 0, usage.completion_tokens or 0
    body: dict[str, object] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion_tokens,
        "total_tokens": usage.total_tokens or prompt + completion_tokens,
    }
    if usage.cache_hit_tokens is not None:
        body["prompt_tokens_details"] = {"cached_tokens": usage.cache_hit_tokens}
        body["prompt_cache_hit_tokens"] = usage.cache_hit_tokens
        missed = usage.cache_miss_tokens
        body["prompt_cache_miss_tokens"] = (
            max(prompt - usage.cache_hit_tokens, 0) if missed is None else missed
        )
    if usage.reasoning_tokens is not None:
        body["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return body
