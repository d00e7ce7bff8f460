"""`/stream` and `/complete`: one question, or a posted chat, answered piece by piece or whole."""

import logging
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from core.errors import AppError, StoreError
from core.models.chat import Message
from core.models.money.ledger import BudgetError
from core.models.notices import Notice
from core.models.parts import SourcePart
from core.texts.catalogue import Language
from core.web.chat.audience import RETRY_MS
from core.web.chat.citations import SourceReply, source_replies
from core.web.chat.event_ids import EventId, event_id_from
from core.web.chat.foreign_answer import ForeignAnswer
from core.web.chat.http_errors import http_error_of
from core.web.chat.notices import Noticed, notice_replies, with_notices
from core.web.chat.posted.body_room import HeldBody
from core.web.chat.posted.reading import posted_request
from core.web.chat.posted.request import ChatRequest, question_request
from core.web.chat.steps import StepEvents, StepReply, step_replies
from core.web.chat.tool_calls import CallReply, calls_of
from core.web.http_call import TEXT_TYPE, Headers, HttpCall, HttpCallError, Table
from core.web.http_errors import ErrorReply, HttpError, http_error_from
from core.web.studio_bridge import StudioBridge
from core.wire.sse import encode_comment, encode_event
from core.work.chat.buffers.cursors import Cursor
from core.work.chat.live_answer import LiveAnswer

logger = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode

EVENT_STREAM_TYPE = "text/event-stream; charset=utf-8"
STREAM_HEADERS = (("Cache-Control", "no-cache, no-transform"), ("X-Accel-Buffering", "no"))
KEEP_ALIVE = encode_comment()
DONE = "[DONE]"
NOT_JSON = "上游返回非 JSON"


class WholeReply(Noticed):
    """A whole answer, and what is to be called, was called for it, and is cited."""

    content: str
    tool_calls: list[CallReply] | UnsetType = UNSET
    steps: list[StepReply] | UnsetType = UNSET
    sources: list[SourceReply] | UnsetType = UNSET


class ChatRoutes:
    """The routes of the contract that are about chat."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge

    def table(self) -> Table:
        """Return which method of which path is served by what."""
        return {
            "/stream": {"GET": self.stream, "POST": self.stream},
            "/complete": {"GET": self.complete, "POST": self.complete},
        }

    async def stream(self, call: HttpCall) -> None:
        """Answer with events; a reader who names its last event gets the rest of that answer."""
        if call.headers.get("last-event-id"):
            await self._resume(call, call.headers["last-event-id"])
            return
        with self._bridge.body_room.hold() as held:
            await self._stream(call, held)

    async def _stream(self, call: HttpCall, held: HeldBody) -> None:
        try:
            request = await self._request(call, held)
        except HttpCallError as error:
            if error.status != 400:
                raise
            await call.reply(400, error.sentence(call.language).encode(), TEXT_TYPE)
            return
        try:
            live = await self._bridge.ask(request, call)
        except AppError as error:
            http_error = http_error_from(error, call.language)
            await call.begin(200, EVENT_STREAM_TYPE, STREAM_HEADERS)
            await call.end(_error_event(http_error, None) + _end_event(None))
            return
        self._bridge.audiences.begin(live.message_id)
        await self._follow(call, live, place=len(live.begun_with), asked=request.notices)

    async def complete(self, call: HttpCall) -> None:
        """Answer with the whole text at once."""
        with self._bridge.body_room.hold() as held:
            await self._complete(call, held)

    async def _complete(self, call: HttpCall, held: HeldBody) -> None:
        request = await self._request(call, held)
        try:
            live = await self._bridge.ask(request, call, whole=True)
        except AppError as error:
            await _refuse(call, error)
            return
        message = await whole_answer(call, self._bridge, live)
        if message is None:
            return
        body: Noticed = WholeReply(
            message.content[len(live.begun_with) :],
            calls_of(message) or UNSET,
            step_replies(live.steps) or UNSET,
            source_replies(live.sources) or UNSET,
        )
        status: int = 200
        headers: Headers = ()
        if (fault := http_error_of(message, live.error, call.language)) is not None:
            is_ours = isinstance(live.error, StoreError | BudgetError)
            (status, body), headers = _fault(fault, is_ours=is_ours), fault.headers
        body = with_notices(body, message, call.language, request.notices)
        await call.reply_json(status, body, headers)

    async def _request(self, call: HttpCall, held: HeldBody) -> ChatRequest:
        if call.method == "POST":
            return await posted_request(call, self._bridge, held)
        return question_request(call.query.get("question"), self._bridge.default_model)

    async def _resume(self, call: HttpCall, last_event_id: str) -> None:
        """Send what follows an event. 204 tells an EventSource that there is nothing to come."""
        known = event_id_from(last_event_id)
        if known is None or known.place is None:
            await call.reply(204, b"", "")
            return
        live = self._bridge.studio.answers.live(known.answer_id)
        if live is not None and live.owner == call.owner:
            await self._follow(call, live, place=min(known.place, live.length))
            return
        reader = ForeignAnswer(call, self._bridge, call.owner, known.answer_id, known.place)
        if await reader.is_there():
            await self._follow_elsewhere(call, reader, known)
        else:
            await call.reply(204, b"", "")

    async def _follow_elsewhere(
        self, call: HttpCall, reader: ForeignAnswer, known: EventId
    ) -> None:
        """Send what the store holds of an answer, and what it comes to hold, until the end.

        Without the end the reply just stops: an EventSource comes back for the rest.
        """
        await call.begin(200, EVENT_STREAM_TYPE, STREAM_HEADERS)
        await call.feed(
            b"id: %b.%d\nretry: %d\n\n" % (known.answer_id.encode(), reader.place, RETRY_MS)
        )
        async with reader:
            while (pieces := await reader.wait()) is not None:
                text, ended = pieces
                event_id = f"{known.answer_id}.{reader.place}"
                events = encode_event(_encode(text).decode(), id=event_id) if text else b""
                if ended is not None:
                    await call.end(events + _closing(ended, None, reader.place, call.language))
                    return
                await call.feed(events or KEEP_ALIVE)
        await call.end()

    async def _follow(
        self, call: HttpCall, live: LiveAnswer, *, place: int, asked: Sequence[Notice] = ()
    ) -> None:
        """Send pieces as they come, all of one wake-up at once, until the end or the caller's."""
        answer_id = live.message_id
        self._bridge.audiences.add_reader(answer_id)
        is_over = False
        try:
            head = b"id: " + answer_id.encode() + b"."
            # An id without data is no event, but a reader cut off from here on knows its answer.
            steps = StepEvents()
            unsent = bytearray(b"%b%d\nretry: %d\n\n" % (head, place, RETRY_MS))
            async with self._bridge.reader(call, live, Cursor(content=place)) as reader:
                while not reader.is_gone:
                    pieces = reader.take()
                    if not call.has_begun:
                        if pieces.is_final and isinstance(live.error, BudgetError):
                            is_over = True
                            await _refuse(call, live.error)
                            return
                        # Once it is asked, the budget has let it through.
                        if not (live.is_asked or pieces.is_final or reader.is_quiet):
                            await reader.wait()
                            continue
                        await call.begin(200, EVENT_STREAM_TYPE, STREAM_HEADERS)
                    if pieces.has_jumped:
                        place = pieces.cursor.content - sum(map(len, pieces.content))
                    for piece in pieces.content:
                        place += len(piece)
                        # encode_event, for a piece that has no line ends: JSON escapes them.
                        unsent += b"%b%d\ndata: %b\n\n" % (head, place, _encode(piece))
                    if live.has_studio_tools:
                        unsent += steps.news(live.steps, f"{answer_id}.{place}")
                    if pieces.is_final:
                        ended = live.outline()
                        closing = _closing(
                            ended, live.error, place, call.language, asked, live.sources
                        )
                        await call.end(closing, behind=bytes(unsent))
                        is_over = True
                        return
                    if reader.is_quiet and not unsent:
                        unsent += KEEP_ALIVE
                    if unsent:
                        await call.feed(bytes(unsent), is_washed=True)
                        unsent.clear()
                        reader.spoke()
                    await reader.wait()
        finally:
            self._bridge.audiences.remove_reader(answer_id, is_over=is_over)


async def whole_answer(call: HttpCall, bridge: StudioBridge, live: LiveAnswer) -> Message | None:
    """Wait for an answer's end; None when the caller left, which stops it."""
    async with bridge.reader(call, live) as reader:
        while True:
            if reader.take().is_final:
                return live.snapshot()
            if reader.is_gone:
                bridge.stop(live.message_id)
                return None
            reader.spoke()
            await reader.wait()


async def _refuse(call: HttpCall, error: AppError) -> None:
    told = http_error_from(error, call.language)
    await call.reply_json(told.status, ErrorReply(told.sentence), told.headers)


def _fault(fault: HttpError, *, is_ours: bool) -> tuple[int, ErrorReply]:
    """Return status and body of what went wrong with a whole answer."""
    if fault.is_not_json:
        return 502, ErrorReply(NOT_JSON)
    if fault.upstream_status is not None:
        return fault.upstream_status, ErrorReply("upstream", fault.body)
    return fault.status if is_ours else 500, ErrorReply(fault.sentence)


def _closing(
    message: Message,
    error: AppError | None,
    place: int,
    language: Language,
    asked: Sequence[Notice] = (),
    sources: Sequence[SourcePart] = (),
) -> bytes:
    events = b""
    http_error = http_error_of(message, error, language)
    if http_error is not None:
        events = _error_event(http_error, EventId(message.id, place))
    if calls := calls_of(message):
        data = _encode({"tool_calls": calls}).decode()
        events += encode_event(data, event="tool_calls", id=f"{message.id}.{place}")
    if sources:  # named, as the notices are
        data = _encode({"sources": source_replies(sources)}).decode()
        events += encode_event(data, event="sources", id=f"{message.id}.{place}")
    if notices := notice_replies(message, language, asked):
        # Named: who only reads the text, and errors, does not get it.
        data = _encode({"notices": notices}).decode()
        events += encode_event(data, event="notice", id=f"{message.id}.{place}")
    return events + _end_event(message.id)


def _error_event(http_error: HttpError, at: EventId | None) -> bytes:
    body = ErrorReply(http_error.sentence, http_error.body or UNSET)
    if http_error.upstream_status is not None:
        told = f"upstream {http_error.upstream_status}"
        body = ErrorReply(told, http_error.body, http_error.sentence)
    if http_error.wait_s is not None:
        body.retry_after = http_error.wait_s
    event_id = None if at is None else f"{at.answer_id}.{at.place}"
    return encode_event(_encode(body).decode(), id=event_id)


def _end_event(answer_id: str | None) -> bytes:
    return encode_event(DONE, event="end", id=None if answer_id is None else f"{answer_id}.end")
