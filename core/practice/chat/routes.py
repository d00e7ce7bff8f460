"""DeepSeek's endpoints: chat, models, balance."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from core.practice.chat.book import Bill, ChatBook
from core.practice.chat.models import CONTEXT_TOKENS, MODEL_ENTRIES
from core.practice.chat.refusal import ChatRefusal, check_key
from core.practice.chat.reply import compose_reply, faults_of
from core.practice.chat.request import ChatRequest, chat_request_from_json
from core.practice.chat.stream import Step, at_once, plan_stream, plan_whole
from core.practice.chat.tokens import PromptCache, estimate_tokens
from core.practice.clock import PracticeClock
from core.practice.counters import Tally
from core.practice.faults import CHAT_STATUSES, GATEWAY_PAGE, Faults, Repetitions
from core.practice.hangup import hang_up, is_hung_up
from core.practice.settings import PracticeSettings

_STATUS_BODIES = {
    400: ("Invalid request (practice)", "invalid_request_error", ""),
    401: ("Authentication Fails, Your api key: ****tice is invalid", "authentication_error", ""),
    402: ("Insufficient Balance", "unknown_error", ""),
    422: ("Invalid parameter value (practice)", "invalid_request_error", ""),
    429: ("Too many concurrent requests (practice)", "rate_limit_error", "rate_limit_error"),
    500: ("Internal server error (practice)", "server_error", "server_error"),
    503: (
        "Service is too busy (practice)",
        "service_unavailable_error",
        "service_unavailable_error",
    ),
}


class Chat:
    """The chat side of one practice server."""

    def __init__(
        self, settings: PracticeSettings, tally: Tally, clock: PracticeClock, book: ChatBook
    ) -> None:
        self._settings = settings
        self._tally = tally
        self._clock = clock
        self._book = book
        self._cache = PromptCache()
        self._repetitions = Repetitions()

    def routes(self) -> list[Route]:
        """Return the routes, under every base clients use."""
        routes = []
        for base in ("", "/v1", "/beta"):
            endpoint = self._guarded(self._complete)
            routes.append(Route(f"{base}/chat/completions", endpoint, methods=["POST"]))
            routes.append(Route(f"{base}/models", self._guarded(self._models), methods=["GET"]))
        routes.append(Route("/user/balance", self._guarded(self._balance), methods=["GET"]))
        return routes

    def _guarded(
        self, endpoint: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            headers = {"x-ds-trace-id": uuid.uuid4().hex}
            try:
                check_key(request.headers.get("authorization", ""), self._settings.chat_key)
                response = await endpoint(request)
            except ChatRefusal as refusal:
                return JSONResponse(refusal.body, refusal.status, {**headers, **refusal.headers})
            except RecursionError:
                too_deep = ChatRefusal(400, "Nested too deeply (practice)")
                return JSONResponse(too_deep.body, too_deep.status, headers)
            response.headers.update(headers)
            return response

        return guarded

    async def _models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": MODEL_ENTRIES})

    async def _balance(self, request: Request) -> Response:
        return JSONResponse(self._book.balance())

    async def _complete(self, request: Request) -> Response:
        self._tally.chat_requests += 1
        beta = request.url.path.startswith("/beta/")
        asked = chat_request_from_json(await request.body(), beta=beta)
        _check_context(asked)
        faults = faults_of(asked)
        if (page := self._faulty_status(asked, faults)) is not None:
            return page
        reply = compose_reply(
            asked, faults, self._cache, reply_id=str(uuid.uuid4()), created=int(self._clock.now())
        )
        bill = Bill(self._book, reply)
        if not asked.stream:
            steps = plan_whole(reply, faults, self._settings)
            return _BilledAnswer(request, steps, bill, media_type="application/json")
        steps = plan_stream(reply, faults, self._settings, include_usage=asked.include_usage)
        if "burst" in faults:
            steps = at_once(steps)
        return _CountedStream(request, steps, bill, self._tally)

    def _faulty_status(self, asked: ChatRequest, faults: Faults) -> Response | None:
        key = asked.question.content
        for status in CHAT_STATUSES:
            times = faults.get(str(status))
            if str(status) in faults and self._repetitions.strikes(str(status), times, key):
                message, kind, code = _STATUS_BODIES[status]
                raise ChatRefusal(status, message, kind=kind, code=code)
        if "retry-after" in faults and self._repetitions.strikes("retry-after", 1, key):
            message, kind, code = _STATUS_BODIES[429]
            wait_s = faults["retry-after"]
            wait_s = 2 if wait_s is None else wait_s
            raise ChatRefusal(429, message, kind=kind, code=code, retry_after_s=wait_s)
        if "html" in faults:
            return HTMLResponse(GATEWAY_PAGE, faults["html"] or 200)
        return None


class _BilledAnswer(StreamingResponse):
    """An answer that is charged when it ends, in whatever way."""

    def __init__(
        self,
        request: Request,
        steps: Iterator[Step],
        bill: Bill,
        *,
        media_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(_run(request, steps, bill), media_type=media_type, headers=headers)
        self._bill = bill

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        finally:
            self._bill.settle()


class _CountedStream(_BilledAnswer):
    """A stream that is counted as open until it ends, in whatever way.

    Counted here and not in the generator: when a reader leaves while a write waits, a generator
    is only closed once it is collected.
    """

    def __init__(self, request: Request, steps: Iterator[Step], bill: Bill, tally: Tally) -> None:
        super().__init__(
            request,
            steps,
            bill,
            media_type="text/event-stream",
            headers={"cache-control": "no-cache"},
        )
        self._request = request
        self._tally = tally

    async def stream_response(self, send: Send) -> None:
        complete = False
        self._tally.streams_open += 1
        try:
            await super().stream_response(send)
            complete = True
        finally:
            self._tally.streams_open -= 1
            if not complete and not is_hung_up(self._request) and not self._tally.is_closing:
                self._tally.streams_closed_early += 1


async def _run(request: Request, steps: Iterator[Step], bill: Bill) -> AsyncIterator[bytes]:
    """Yield the steps' data, each at its time."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for step in steps:
        # Counted from the plan and not from the last write, so that the small delays of
        # thousands of short pauses do not add up.
        due = max(due, loop.time() - step.wait_s) + step.wait_s
        await asyncio.sleep(max(due - loop.time(), 0))
        bill.add(step)
        if step.data is None:
            hang_up(request)
            await loop.create_future()  # until the disconnect cancels this response
        elif step.data:
            yield step.data
    bill.settle()  # before the reader learns that nothing more comes


def _check_context(asked: ChatRequest) -> None:
    prompt, completion = estimate_tokens(asked.prompt), asked.max_tokens or 0
    if prompt + completion > CONTEXT_TOKENS:
        raise ChatRefusal(
            400,
            f"This model's maximum context length is {CONTEXT_TOKENS} tokens. However, you "
            f"requested {prompt + completion} tokens ({prompt} in the messages, {completion} in "
            "the completion). Please reduce the length of the messages or completion.",
        )
