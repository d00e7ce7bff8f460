"""`/v1/responses`: answered as a chat is, and nothing of it can be asked for by its id."""

import time
from collections.abc import Callable

from core.models.chat import Message
from core.models.notices import Notice
from core.web.chat.posted.body_room import CHAT_BODY_BYTES, HeldBody
from core.web.chat.posted.fields import Fate, ignored_in, shown_names
from core.web.chat.posted.nested_fields import unknown_in
from core.web.chat.posted.reading import request_from
from core.web.chat.posted.request import ChatRequest
from core.web.http_call import HttpCall, HttpCallError
from core.web.openai.answering import answer_posted
from core.web.openai.responses.events import ResponseWriter
from core.web.openai.responses.objects import Json, Response, ended, output_of, response_object
from core.web.openai.responses.references import with_references
from core.web.openai.responses.request import AS_EVER, FATES, PLACES, chat_fields
from core.web.openai.streaming import Writer
from core.web.studio_bridge import StudioBridge
from core.work.chat.live_answer import LiveAnswer


class OpenAIResponses:
    """OpenAI's Responses API in front of the studio."""

    def __init__(self, bridge: StudioBridge, *, clock: Callable[[], float] = time.time) -> None:
        self._bridge = bridge
        self._clock = clock

    async def create(self, call: HttpCall) -> None:
        """Answer with a response, whole or as events."""
        with self._bridge.body_room.hold() as held:
            await self._create(call, held)

    async def _create(self, call: HttpCall, held: HeldBody) -> None:
        body = await call.json_object(most_bytes=CHAT_BODY_BYTES, held=held)
        request = await self._request(call, body)
        created = int(self._clock())
        await answer_posted(
            call, self._bridge, request, lambda live: _Response(live, request, body, created)
        )

    async def _request(self, call: HttpCall, body: Json) -> ChatRequest:
        asked = await with_references(body, call, self._bridge)
        try:
            fields = chat_fields(asked)
            return await request_from(call, self._bridge, fields, thinks=True)
        except HttpCallError as error:
            raise _by_own_name(error) from error


class _Response:
    """OpenAI's newer shape: events, or a response."""

    def __init__(self, live: LiveAnswer, request: ChatRequest, body: Json, created: int) -> None:
        model = request.parameters.model
        self._live = live
        self._response = response_object(live.message_id, model, created, body)
        self.notices = (*map(_by_own_names, request.notices), *_ignored(body))

    def writer(self) -> Writer:
        return ResponseWriter(self._live, self._response, self.notices)

    def whole(self, message: Message) -> Response:
        return ended(self._response, output_of(message, self._live.start), message)


def _ignored(body: Json) -> tuple[Notice, ...]:
    # Of the fields that a chat has too, the chat has told.
    own = {name: one for name, one in body.items() if FATES.get(name) is not Fate.ELSEWHERE}
    ignored = ignored_in(own, speaks_deepseek=True, fates=FATES, as_ever=AS_EVER)
    names = shown_names((*ignored, *unknown_in(body, PLACES)))
    return (Notice("notice.fields_ignored", {"names": ", ".join(names)}),) if names else ()


def _by_own_names(notice: Notice) -> Notice:
    """Return a chat's notice with the one field that has another name here."""
    names = str(notice.facts.get("names", "")).split(", ")
    if "verbosity" not in names:
        return notice
    own = ("text.verbosity" if name == "verbosity" else name for name in names)
    return Notice(notice.text_id, {**notice.facts, "names": ", ".join(own)})


def _by_own_name(error: HttpCallError) -> HttpCallError:
    """Return an error about a field of a chat, by the name it has in this API."""
    name = error.field or ""
    ours = {
        "messages": "input",
        "response_format": "text.format",
        "max_tokens": "max_output_tokens",
    }
    ours["reasoning_effort"] = "reasoning.effort"
    found = next(
        (own for own in ours if name == own or name.startswith((f"{own}[", f"{own}."))), ""
    )
    if not found:
        return error
    facts = {**error.facts, "field": ours[found]} if "field" in error.facts else error.facts
    return HttpCallError(
        error.status, error.text_id, facts=facts, field=ours[found], headers=error.headers
    )
