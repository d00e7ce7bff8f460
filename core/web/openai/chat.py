"""`/v1/chat/completions` and `/v1/models`, as OpenAI's clients expect them."""

import time
from collections.abc import Callable

import msgspec

from core.errors import AppError
from core.models.chat import Message, Usage
from core.texts.catalogue import Language
from core.web.chat.http_errors import http_error_of
from core.web.chat.notices import with_notices
from core.web.chat.request import ChatRequest, chat_request_from_json
from core.web.chat.routes import EVENT_STREAM_TYPE, KEEP_ALIVE, STREAM_HEADERS, whole_answer
from core.web.http_call import HttpCall, Table
from core.web.http_errors import HttpError, http_error_from
from core.web.studio_bridge import StudioBridge
from core.work.chat.live_answer import LiveAnswer

_DONE = b"data: [DONE]\n\n"
_encode = msgspec.json.Encoder().encode


class OpenAIChat:
    """OpenAI's chat API in front of the studio; the studio's key, not the caller's, is used."""

    def __init__(self, bridge: StudioBridge, *, clock: Callable[[], float] = time.time) -> None:
        self._bridge = bridge
        self._clock = clock

    def table(self) -> Table:
        """Return which method of which path is served by what."""
        return {
            "/v1/chat/completions": {"POST": self.complete},
            "/v1/models": {"GET": self.models},
        }

    async def models(self, call: HttpCall) -> None:
        """List the models that may be asked for."""
        entries = [
            {"id": name, "object": "model", "created": 0, "owned_by": "inkling"}
            for name in self._bridge.studio.chat_models()
        ]
        await call.reply_json(200, {"object": "list", "data": entries})

    async def complete(self, call: HttpCall) -> None:
        """Answer a posted chat, whole or as a stream of chunks."""
        body = await call.json_object()
        body.pop("question", None)
        body.setdefault("messages", [])
        request = chat_request_from_json(body, self._bridge.default_model)
        try:
            live = self._bridge.ask(request, call, whole=not request.streams)
        except AppError as error:
            await _refuse(call, http_error_from(error, call.language))
            return
        if request.streams:
            await self._stream(call, live, request)
            return
        message = await whole_answer(call, self._bridge, live)
        if message is None:
            return
        http_error = http_error_of(message, live.error, call.language)
        if http_error is not None:
            body = with_notices(_error_body(http_error), message, call.language)
            await call.reply_json(http_error.status, body, http_error.headers)
        else:
            body = _completion(message, int(self._clock()))
            await call.reply_json(200, with_notices(body, message, call.language))

    async def _stream(self, call: HttpCall, live: LiveAnswer, request: ChatRequest) -> None:
        """Send chunks. Nothing is begun before something came: an error keeps its status."""
        chunks = _Chunks(live.message_id, request.parameters.model, int(self._clock()))
        is_over = False
        try:
            async with self._bridge.reader(call, live) as reader:
                while not reader.is_gone:
                    pieces = reader.take()
                    if pieces.is_final and not call.has_begun:
                        http_error = http_error_of(live.outline(), live.error, call.language)
                        if http_error is not None and not pieces.content and not pieces.reasoning:
                            is_over = True
                            await _refuse(call, http_error)
                            return
                    events = chunks.of("reasoning_content", pieces.reasoning)
                    events += chunks.of("content", pieces.content)
                    if reader.is_quiet and not events:
                        if live.is_asked and live.rest_left_s is None:
                            events = KEEP_ALIVE
                        else:  # it waits for the store, or as it was told, and may yet be refused
                            reader.spoke()
                    if pieces.is_final:
                        is_over = True
                        events += self._closing(chunks, live, request, call.language)
                    if events:
                        if not call.has_begun:
                            await call.begin(200, EVENT_STREAM_TYPE, STREAM_HEADERS)
                        if is_over:
                            await call.end(events)
                            return
                        await call.feed(events, is_washed=True)
                        reader.spoke()
                    await reader.wait()
        finally:
            if not is_over:  # OpenAI's clients cannot come back for the rest
                self._bridge.stop(live.message_id)

    def _closing(
        self, chunks: "_Chunks", live: LiveAnswer, request: ChatRequest, language: Language
    ) -> bytes:
        message = live.outline()
        http_error = http_error_of(message, live.error, language)
        if http_error is not None:
            body: dict[str, object] = _error_body(http_error)
            if http_error.wait_s is not None:  # as a header would have said it
                body["retry_after"] = http_error.wait_s
            body = with_notices(body, message, language)
            return b"data: %b\n\n" % _encode(body) + _DONE
        events = chunks.last(message.finish_reason or "stop", with_notices({}, message, language))
        if request.with_usage:
            events += chunks.usage(message.usage)
        return events + _DONE


class _Chunks:
    """Builds the chunks of one stream; what is the same in all is encoded once."""

    def __init__(self, answer_id: str, model: str, created: int) -> None:
        head = {
            "id": f"chatcmpl-{answer_id}",
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
        }
        self._head = b"data: " + _encode(head)[:-1]
        self._is_first = True

    def of(self, name: str, pieces: list[str]) -> bytes:
        """Return one chunk for each piece."""
        if not pieces:
            return b""
        events = bytearray()
        if self._is_first:
            self._is_first = False
            events += self._choice({"role": "assistant", "content": ""}, None)
        head = self._head + b',"choices":[{"index":0,"delta":{"' + name.encode() + b'":'
        for piece in pieces:
            events += head
            events += _encode(piece)
            events += b'},"finish_reason":null}]}\n\n'
        return bytes(events)

    def last(self, finish_reason: str, beside: dict[str, object]) -> bytes:
        """Return the chunk that says why the answer ended, and what stands beside its choices."""
        return self._choice({}, finish_reason, beside)

    def usage(self, usage: Usage | None) -> bytes:
        """Return the chunk without choices that tells the tokens."""
        body = _encode(_usage(usage))
        return self._head + b',"choices":[],"usage":' + body + b"}\n\n"

    def _choice(
        self,
        delta: dict[str, str],
        finish_reason: str | None,
        beside: dict[str, object] | None = None,
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        fields = _encode({"choices": [choice], **(beside or {})})
        return self._head + b"," + fields[1:] + b"\n\n"


def error_body(
    message: str, kind: str, *, param: str | None = None, code: str | None = None
) -> dict[str, object]:
    """Return an error in OpenAI's shape."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _error_body(http_error: HttpError) -> dict[str, object]:
    message = http_error.sentence
    if http_error.detail:
        message = f"{message} ({http_error.detail})"
    return error_body(message, http_error.kind, code=http_error.code)


async def _refuse(call: HttpCall, http_error: HttpError) -> None:
    await call.reply_json(http_error.status, _error_body(http_error), http_error.headers)


def _completion(message: Message, created: int) -> dict[str, object]:
    said = {"role": "assistant", "content": message.content}
    if message.reasoning_content:
        said["reasoning_content"] = message.reasoning_content
    return {
        "id": f"chatcmpl-{message.id}",
        "object": "chat.completion",
        "created": created,
        "model": message.model,
        "choices": [
            {
                "index": 0,
                "message": said,
                "logprobs": None,
                "finish_reason": message.finish_reason or "stop",
            }
        ],
        "usage": _usage(message.usage),
    }


def _usage(usage: Usage | None) -> dict[str, object] | None:
    if usage is None:
        return None
    prompt, completion = usage.prompt_tokens or 0, usage.completion_tokens or 0
    body: dict[str, object] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": usage.total_tokens or prompt + completion,
    }
    if usage.cache_hit_tokens is not None:
        body["prompt_tokens_details"] = {"cached_tokens": usage.cache_hit_tokens}
    if usage.reasoning_tokens is not None:
        body["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return body
