"""A reply on the wire: the events of a stream with their pauses, and the whole JSON body."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.practice.chat.reply import Reply
from core.practice.chat.skills.likelihoods import logprobs_of
from core.practice.chat.wire import SYSTEM_FINGERPRINT, split_deltas, tool_deltas, whole_body
from core.practice.faults import Faults
from core.practice.settings import PracticeSettings
from core.wire.sse import encode_comment, encode_event

_KEEP_ALIVE = encode_comment("keep-alive")  # DeepSeek's rate-limit page
_DEFAULT_SILENCE_S = 30
_DEFAULT_COMMENTS_S = 10
_DEFAULT_SLOW_MS = 500


@dataclass(frozen=True, slots=True)
class Step:
    """Wait, then write; without data, drop the connection instead."""

    wait_s: float
    data: bytes | None
    thought: str = ""  # what was generated for it
    said: str = ""
    is_whole: bool = False  # with it all has been generated
    is_free: bool = False  # an error in the answer's place


@dataclass(frozen=True, slots=True)
class _Chunks:
    """Writes the chunks of one reply: the same id, time and fingerprint in each."""

    reply: Reply
    include_usage: bool

    def event(self, choices: list[object], **more: object) -> bytes:
        body: dict[str, object] = {
            "id": self.reply.id,
            "object": "chat.completion.chunk",
            "created": self.reply.created,
            "model": self.reply.model,
            "system_fingerprint": SYSTEM_FINGERPRINT,
            "choices": choices,
        }
        if self.include_usage:
            body["usage"] = None
        return encode_event(_compact(body | more))

    def delta(self, delta: dict[str, object]) -> bytes:
        return self.event([_choice(delta, logprobs=self._logprobs(delta))])

    def _logprobs(self, delta: dict[str, object]) -> dict[str, object] | None:
        if self.reply.logprobs is None:
            return None
        told: dict[str, object] = {}
        for part in ("content", "reasoning_content"):
            if isinstance(text := delta.get(part), str) and text:
                told[part] = logprobs_of([text], self.reply.logprobs)
        return told or None


def plan_stream(
    reply: Reply, faults: Faults, settings: PracticeSettings, *, include_usage: bool
) -> Iterator[Step]:
    """Yield the steps of a streamed reply, faults included."""
    chunks = _Chunks(reply, include_usage)
    pause_s = settings.delta_interval_s
    if "slow" in faults:
        pause_s = _or(faults["slow"], _DEFAULT_SLOW_MS) / 1000
    yield Step(0, _KEEP_ALIVE)
    yield from _waiting(_waiting_s(faults, settings), settings.keep_alive_s)
    deltas = _as_asked(_deltas(reply), faults)
    middle = _middle(reply, deltas)
    yield Step(0, chunks.delta(_first_delta(reply)))
    for place, delta in enumerate(deltas):
        if place == middle:
            if "silent" in faults:
                yield Step(_or(faults["silent"], _DEFAULT_SILENCE_S), b"")
            if "garbage-line" in faults:
                yield Step(0, encode_event("this line is not JSON {"))
            if (broken := _breaks(faults, chunks, delta)) is not None:
                yield from broken
                return
        thought, said = _generated(delta)
        yield Step(pause_s, chunks.delta(delta), thought, said)
    yield from _ending(reply, faults, chunks)


def _or(number: int | None, default: int) -> int:
    return default if number is None else number


def _waiting_s(faults: Faults, settings: PracticeSettings) -> float:
    if "comments" in faults:
        return _or(faults["comments"], _DEFAULT_COMMENTS_S)
    return settings.first_delta_s


def _waiting(wait_s: float, keep_alive_s: float, alive: bytes = _KEEP_ALIVE) -> Iterator[Step]:
    while wait_s > keep_alive_s > 0:
        yield Step(keep_alive_s, alive)
        wait_s -= keep_alive_s
    yield Step(wait_s, b"")


def _first_delta(reply: Reply) -> dict[str, object]:
    if reply.reasoning is None:
        return {"role": "assistant", "content": ""}
    return {"role": "assistant", "content": None, "reasoning_content": ""}


def _deltas(reply: Reply) -> list[dict[str, object]]:
    deltas: list[dict[str, object]] = []
    for piece in split_deltas(reply.reasoning or "", "reasoning"):
        deltas.append({"content": None, "reasoning_content": piece})
    for piece in split_deltas(reply.content, reply.content[:64]):
        spoken: dict[str, object] = {"content": piece}
        if reply.reasoning is not None:
            spoken["reasoning_content"] = None
        deltas.append(spoken)
    for index in range(len(reply.calls)):
        deltas.extend(tool_deltas(reply, index))
    return deltas


def _as_asked(deltas: list[dict[str, object]], faults: Faults) -> list[dict[str, object]]:
    """Return the deltas in the shapes that other servers give them."""
    if "half-pairs" in faults:
        deltas = [{"content": "\ud83d"}, {"content": "\ude00 "}, *deltas]
    if "content-parts" in faults:
        deltas = [{"content": _parts(delta)} for delta in deltas]
    if "versions" in faults:
        so_far = {"content": "", "reasoning_content": ""}
        deltas = [_version(delta, so_far) for delta in deltas]
    return deltas


def _version(delta: dict[str, object], so_far: dict[str, str]) -> dict[str, object]:
    """Return a delta that holds all of its text so far, which it adds to."""
    for name, before in so_far.items():
        if isinstance(piece := delta.get(name), str):
            so_far[name] = before + piece
            delta = {**delta, name: so_far[name]}
    return delta


def _parts(delta: dict[str, object]) -> list[dict[str, object]]:
    if thought := delta.get("reasoning_content"):
        return [{"type": "thinking", "thinking": [{"type": "text", "text": thought}]}]
    return [{"type": "text", "text": delta.get("content")}]


def _generated(delta: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a delta of whatever shape brings of the reasoning and of the answer."""
    thought, said = delta.get("reasoning_content") or "", delta.get("content") or ""
    if isinstance(said, list):
        part = said[0]
        if part["type"] == "thinking":
            return part["thinking"][0]["text"], ""
        said = part["text"] or ""
    return thought, said


def _middle(reply: Reply, deltas: list[dict[str, object]]) -> int:
    """Return the place in the middle of the answer, past all reasoning."""
    reasoned = sum(1 for delta in deltas if delta.get("reasoning_content"))
    return reasoned + (len(deltas) - reasoned) // 2


def _breaks(faults: Faults, chunks: _Chunks, delta: dict[str, object]) -> list[Step] | None:
    if "cut" in faults:
        return [Step(0, None)]
    if "half-json" in faults:
        whole = chunks.delta(delta)
        return [Step(0, whole[: len(whole) // 2])]
    if "error-in-stream" in faults:
        return [Step(0, encode_event(_compact(ERROR_IN_STREAM)))]
    if "flat-error" in faults:
        return [Step(0, encode_event(_compact(FLAT_ERROR)))]
    return None


def _ending(reply: Reply, faults: Faults, chunks: _Chunks) -> Iterator[Step]:
    last: dict[str, object] = {"content": ""}
    if reply.reasoning is not None:
        last["reasoning_content"] = None
    choice = _choice(last, reply.finish_reason)
    if "no-delta" in faults:
        del choice["delta"]
    if "told-again" in faults:
        choice["message"] = {"role": "assistant", "content": reply.content}
    if "no-usage" in faults or "usage-chunk" in faults:
        yield Step(0, chunks.event([choice]), is_whole=True)
    elif "usage-twice" in faults:
        yield Step(0, chunks.event([choice], usage=_early(reply.usage)), is_whole=True)
    else:
        yield Step(0, chunks.event([choice], usage=reply.usage), is_whole=True)
    if "usage-chunk" in faults or "usage-twice" in faults:
        yield Step(0, chunks.event([], usage=reply.usage))
    if "no-done" not in faults:
        yield Step(0, encode_event("[DONE]"))


def _early(usage: Any) -> dict[str, object]:
    """Return figures as they stood before the last token."""
    return {
        **usage,
        "completion_tokens": max(usage["completion_tokens"] - 1, 0),
        "total_tokens": max(usage["total_tokens"] - 1, 0),
    }


def plan_whole(reply: Reply, faults: Faults, settings: PracticeSettings) -> Iterator[Step]:
    """Yield the steps of a reply that is not streamed: blank lines while waiting, then JSON."""
    yield Step(0, b"\n")
    yield from _waiting(_waiting_s(faults, settings), settings.keep_alive_s, b"\n")
    if "silent" in faults:
        yield Step(_or(faults["silent"], _DEFAULT_SILENCE_S), b"")
    errors = {"error-in-stream": ERROR_IN_STREAM, "flat-error": FLAT_ERROR}
    error = next((errors[name] for name in errors if name in faults), None)
    body = _compact(error or whole_body(reply, faults))
    data = body.encode()
    is_free = error is not None
    if "cut" in faults:
        yield Step(0, data[: len(data) // 2], is_whole=not is_free, is_free=is_free)
        yield Step(0, None)
    elif "half-json" in faults:
        yield Step(0, data[: len(data) // 2], is_whole=not is_free, is_free=is_free)
    else:
        yield Step(0, data, is_whole=not is_free, is_free=is_free)


def at_once(steps: Iterator[Step]) -> Iterator[Step]:
    """Yield the steps as one write, and what drops the connection after it."""
    planned = list(steps)
    kept = [step.data for step in planned if step.data is not None]
    yield Step(
        0,
        b"".join(kept),
        "".join(step.thought for step in planned),
        "".join(step.said for step in planned),
        is_whole=any(step.is_whole for step in planned),
    )
    if len(kept) < len(planned):
        yield Step(0, None)


ERROR_IN_STREAM = {
    "error": {
        "message": "The service broke down while it was answering (practice)",
        "type": "server_error",
        "param": None,
        "code": "server_error",
    }
}


FLAT_ERROR = {"code": 50505, "msg": "Model service overloaded (practice)"}


def _choice(
    delta: dict[str, object],
    finish_reason: str | None = None,
    logprobs: dict[str, object] | None = None,
) -> dict[str, object]:
    return {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}


def _compact(body: object) -> str:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character: only as an escape
        return json.dumps(body, separators=(",", ":"))
    return text
