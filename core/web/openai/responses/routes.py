"""`/v1/responses`: answered as a chat is, and nothing of it can be asked for by its id."""

import time
from collections.abc import Callable

from core.errors import AppError
from core.models.notices import Notice
from core.web.chat.http_errors import http_error_of
from core.web.chat.notices import with_notices
from core.web.chat.posted.body_room import CHAT_BODY_BYTES, HeldBody
from core.web.chat.posted.fields import Fate, ignored_in, shown_names
from core.web.chat.posted.nested_fields import unknown_in
from core.web.chat.posted.reading import request_from
from core.web.chat.posted.request import ChatRequest
from core.web.chat.routes import whole_answer
from core.web.http_call import HttpCall, HttpCallError
from core.web.http_errors import http_error_from
from core.web.openai.errors import body_of, refuse
from core.web.openai.responses.events import ResponseWriter
from core.web.openai.responses.objects import Json, ended, output_of, response_object
from core.web.openai.responses.references import with_references
from core.web.openai.responses.request import AS_EVER, FATES, PLACES, chat_fields
from core.web.openai.streaming import stream_answer
from core.web.studio_bridge import StudioBridge


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
        try:
            live = await self._bridge.ask(request, call, whole=not request.streams)
        except AppError as error:
            await refuse(call, http_error_from(error, call.language))
            return
        model, created = request.parameters.model, int(self._clock())
        response = response_object(live.message_id, model, created, body)
        notices = (*map(_by_own_names, request.notices), *_ignored(body))
        if request.streams:
            writer = ResponseWriter(live, response, notices)
            await stream_answer(call, self._bridge, live, writer)
            return
        message = await whole_answer(call, self._bridge, live)
        if message is None:
            return
        http_error = http_error_of(message, live.error, call.language)
        if http_error is not None:
            told = with_notices(body_of(http_error), message, call.language, notices)
            await call.reply_json(http_error.status, told, http_error.headers)
            return
        whole = ended(response | {"output": output_of(message, live.start)}, message)
        await call.reply_json(200, with_notices(whole, message, call.language, notices))

    async def _request(self, call: HttpCall, body: Json) -> ChatRequest:
        fields = chat_fields(await with_references(body, call, self._bridge))
        try:
            return await request_from(call, self._bridge, fields, thinks=True)
        except HttpCallError as error:
            raise _by_own_name(error) from error


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
