"""`/v1/chat/completions`, as OpenAI's clients expect it."""

import time
from collections.abc import Callable

import msgspec
from msgspec import UNSET

from core.models.chat import Message
from core.texts.catalogue import Language
from core.web.chat.citations import annotations_of, source_replies
from core.web.chat.http_errors import http_error_of
from core.web.chat.notices import notice_replies, with_notices
from core.web.chat.posted.body_room import HeldBody
from core.web.chat.posted.reading import posted_request
from core.web.chat.posted.request import ChatRequest
from core.web.chat.steps import step_replies
from core.web.chat.tool_calls import finish_reason
from core.web.http_call import HttpCall
from core.web.openai.answering import answer_posted
from core.web.openai.chunks import Chunks, Completion, completion, usage_of
from core.web.openai.errors import body_of
from core.web.openai.streaming import Writer
from core.web.studio_bridge import StudioBridge
from core.work.chat.live_answer import LiveAnswer

_DONE = b"data: [DONE]\n\n"
_encode = msgspec.json.Encoder().encode


class OpenAIChat:
    """OpenAI's chat API in front of the studio; the studio's key, not the caller's, is used."""

    def __init__(self, bridge: StudioBridge, *, clock: Callable[[], float] = time.time) -> None:
        self._bridge = bridge
        self._clock = clock

    async def complete(self, call: HttpCall) -> None:
        """Answer a posted chat, whole or as a stream of chunks."""
        with self._bridge.body_room.hold() as held:
            await self._complete(call, held)

    async def _complete(self, call: HttpCall, held: HeldBody) -> None:
        request = await posted_request(call, self._bridge, held, is_openai=True)
        created = int(self._clock())
        await answer_posted(call, self._bridge, request, lambda live: _Chat(live, request, created))


class _Chat:
    """OpenAI's older shape: chunks, or a completion."""

    def __init__(self, live: LiveAnswer, request: ChatRequest, created: int) -> None:
        self._live = live
        self._request = request
        self._created = created
        self.notices = request.notices

    def writer(self) -> Writer:
        return _ChunkWriter(self._live, self._request, self._created)

    def whole(self, message: Message) -> Completion:
        logprobs = self._live.read_pieces(self._live.start).logprobs
        sources = self._live.sources
        whole = completion(message, self._live.start, logprobs, self._created, sources)
        whole.steps = step_replies(self._live.steps) or UNSET
        return whole


class _ChunkWriter:
    """Writes chunks, and at the end what is said beside them."""

    def __init__(self, live: LiveAnswer, request: ChatRequest, created: int) -> None:
        self._request = request
        self._chunks = Chunks(live.message_id, request.parameters.model, created)
        self.is_washed = not request.options.logprobs  # the alternatives to a token are not
        self.of = self._chunks.of

    def closing(self, live: LiveAnswer, language: Language) -> bytes:
        """Return the last chunk, or the error."""
        message, request = live.outline(), self._request
        http_error = http_error_of(message, live.error, language)
        if http_error is not None:
            body = body_of(http_error)
            if http_error.wait_s is not None:  # as a header would have said it
                body.retry_after = http_error.wait_s
            body = with_notices(body, message, language, request.notices)
            return b"data: %b\n\n" % _encode(body) + _DONE
        beside: dict[str, object] = {}
        if notices := notice_replies(message, language, request.notices):
            beside["notices"] = notices
        usage = message.usage
        if usage is not None and not request.with_usage:  # unasked, as DeepSeek gives it
            beside["usage"] = usage_of(usage)
        delta: dict[str, object] = {}
        if live.steps:
            beside["steps"] = step_replies(live.steps)
        if live.sources:
            beside["sources"] = source_replies(live.sources)
            text = live.snapshot().content[len(live.begun_with) :]
            delta = {"annotations": annotations_of(live.sources, text)}
        events = self._chunks.last(finish_reason(message), beside, delta)
        if usage is not None and request.with_usage:
            events += self._chunks.usage(usage)
        return events + _DONE
