"""The HTTP layer other front ends use: finds what serves a call, after the guard has let it in."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from starlette.types import Receive, Scope, Send

from core.access.callers import PassLookup, no_passes
from core.access.invitations import PATH as ENTER_PATH
from core.texts.catalogue import text
from core.web.chat.routes import ChatRoutes
from core.web.chat.transfer import TransferRoutes
from core.web.diagnostics.checkup import CheckupRoutes
from core.web.diagnostics.exchanges import ExchangeRoutes
from core.web.diagnostics.metrics import METRICS_PATH, MetricsRoute
from core.web.diagnostics.request_log import RequestLine
from core.web.drawing.routes import PREFIX as MESSAGES_PREFIX
from core.web.drawing.routes import DrawingRoutes
from core.web.enter.page import say_opening
from core.web.enter.routes import Enter
from core.web.front.early_calls import EarlyCalls
from core.web.guard.guard import Guard, owner_of
from core.web.guard.limits import Limits
from core.web.health import Readiness, healthz
from core.web.http_call import (
    PAYS_AGAIN,
    GoneError,
    Handler,
    Headers,
    HttpCall,
    HttpCallError,
    Table,
)
from core.web.http_refusals import HttpRefusal
from core.web.kling.envelope import refusal as kling_refusal
from core.web.kling.routes import METHODS as KLING_METHODS
from core.web.kling.routes import KlingRoutes
from core.web.kling.target import API_PATHS
from core.web.kling.target import PREFIX as KLING_PREFIX
from core.web.mcp.routes import PATH as MCP_PATH
from core.web.mcp.routes import McpRoutes
from core.web.money.routes import LedgerRoutes
from core.web.openai.audio.routes import OpenAIAudio
from core.web.openai.chat import OpenAIChat
from core.web.openai.errors import error_body
from core.web.openai.images.routes import OpenAIImages
from core.web.openai.models import PREFIX as MODELS_PREFIX
from core.web.openai.models import OpenAIModels
from core.web.openai.responses.routes import OpenAIResponses
from core.web.openai.web_tools import WebTools
from core.web.openapi.description import openapi_json
from core.web.speech.routes import SpeechRoutes
from core.web.studio_bridge import StudioBridge
from core.web.timings import HttpTimings
from core.work.loop import LoopEndedError
from core.work.process_studio import current_studio, opening_error
from core.work.studio import Studio

logger = logging.getLogger(__name__)

PATHS = (
    "/stream",
    "/complete",
    "/v1",
    "/kling",
    "/enter",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/transfer",
    "/speech",
    "/ledger",
    "/messages",
    "/checkup",
    "/exchanges",
    MCP_PATH,
    METRICS_PATH,
)

# Who asks whether the studio is ready wants to hear that it is not.
IMMEDIATE = ("/readyz",)

_PREFLIGHT_S = 600
_ASKED_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID")
# What the clients of OpenAI's API send beside them. A page names no more than it is allowed:
# forwarding headers, say, decide who calls.
_CLIENT_HEADERS = frozenset(
    {"accept", "user-agent", "x-request-id", "x-client-request-id", "x-api-key", "http-referer"}
    | {"x-title", "x-session-id", "openai-organization", "openai-project", "openai-beta"}
    | {"api-key", "traceparent", "tracestate", "baggage"}
    | {"mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id"}
)
_KLING_PATHS = tuple(KLING_PREFIX + path.decode() for path in API_PATHS)
_CLIENT_PREFIXES = ("x-stainless-",)
_HEADERS_MOST = 64


class _Counter:
    """Everything that belongs to one open studio."""

    def __init__(
        self,
        studio: Studio,
        pass_name: PassLookup = no_passes,
        limits: Limits | None = None,
        timings: HttpTimings = HttpTimings(),  # noqa: B008 - frozen
    ) -> None:
        bridge = StudioBridge(studio, timings)
        self.studio = studio
        self.guard = Guard(
            lambda: studio.settings.access, limits or Limits(), pass_name, studio.issued_token
        )
        self.metrics = MetricsRoute(bridge)
        enter = Enter(studio, self.guard.guesses)
        self.open_table: Table = {  # what needs no caller
            "/readyz": dict.fromkeys(("GET", "HEAD"), Readiness(bridge).readyz),
            ENTER_PATH: enter.methods(),
        }
        models, images = OpenAIModels(bridge), OpenAIImages(bridge)
        audio, web_tools = OpenAIAudio(bridge), WebTools(bridge)
        self.drawing = DrawingRoutes(bridge).table()
        self.model: Mapping[str, Handler] = {"GET": models.one}
        self.table: Table = {
            **ChatRoutes(bridge).table(),
            "/v1/chat/completions": {"POST": OpenAIChat(bridge).complete},
            "/v1/models": {"GET": models.list},
            "/v1/tools/search": {"POST": web_tools.search},
            "/v1/tools/fetch": {"POST": web_tools.fetch},
            "/v1/responses": {"POST": OpenAIResponses(bridge).create},
            "/v1/images/generations": {"POST": images.generations},
            "/v1/images/edits": {"POST": images.edits},
            "/v1/audio/speech": {"POST": audio.speech},
            "/v1/audio/transcriptions": {"POST": audio.transcriptions},
            **LedgerRoutes(bridge).table(),
            **CheckupRoutes(bridge).table(),
            **ExchangeRoutes(bridge).table(),
            METRICS_PATH: {"GET": self.metrics.metrics},
            MCP_PATH: McpRoutes(bridge).methods(),
        }
        self.signed_table = {**TransferRoutes(bridge).table(), **SpeechRoutes(bridge).table()}
        kling = KlingRoutes(bridge)
        self.kling = dict.fromkeys(KLING_METHODS, kling.serve)

    def route_of(self, path: str) -> str | None:
        """Return the route that a path leads to, what comes behind its beginning as `*`."""
        if any(path in table for table in (self.open_table, self.signed_table, self.table)):
            return path
        if self.drawn_from(path) is not None:
            return f"{MESSAGES_PREFIX}*/{path.rpartition('/')[2]}"
        beginnings = (*_KLING_PATHS, MODELS_PREFIX)
        return next((f"{one}*" for one in beginnings if path.startswith(one)), None)

    def drawn_from(self, path: str) -> Mapping[str, Handler] | None:
        """Return what serves a path behind a message's id."""
        message_id, _, what = path.removeprefix(MESSAGES_PREFIX).partition("/")
        is_one = path.startswith(MESSAGES_PREFIX) and message_id != ""
        return self.drawing.get(what) if is_one else None


def serves(path: str) -> bool:
    """Tell whether a path belongs to the HTTP layer, and not to the pages."""
    return "/" + path[1:].partition("/")[0] in PATHS


class Bff:
    """An ASGI app for the paths above; everything else belongs to the pages."""

    def __init__(
        self,
        base: str = "",
        pass_name: PassLookup = no_passes,
        new_limits: Callable[[], Limits] = Limits,
        timings: HttpTimings = HttpTimings(),  # noqa: B008 - frozen
    ) -> None:
        self._base = base
        self._pass_name = pass_name
        self._new_limits = new_limits
        self._timings = timings
        self._counter: _Counter | None = None
        self._early = EarlyCalls()
        self._always: Table = {
            "/healthz": {"GET": healthz, "HEAD": healthz},
            "/openapi.json": {"GET": _openapi},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or pass it on (ASGI)."""
        call = HttpCall(scope, receive, send, base=self._base)
        studio = current_studio()
        line = RequestLine(call, studio.meters if studio is not None else None)
        try:
            await self._serve(call, line)
        except GoneError:
            return
        except (asyncio.CancelledError, LoopEndedError):
            # Only the server's or the studio's end does this: the call would keep it up.
            if not call.has_begun:
                later = (PAYS_AGAIN,) if call.pays_again else (("Retry-After", "5"),)
                await _refuse(call, 503, text(call.language, "http.ending"), later)
        except HttpCallError as error:
            sentence = error.sentence(call.language)
            await _refuse(call, error.status, sentence, error.headers, field=error.field)
        except Exception:  # the last line of defence: nothing of it may reach the caller
            logger.exception("%s ended with an unexpected error", call)
            if not call.has_begun:
                headers = (PAYS_AGAIN,) if call.pays_again else ()
                await _refuse(call, 500, text(call.language, "http.unexpected"), headers)
            # Else it is not ended: a reply that lacks its rest must not look whole.
        finally:
            line.end()

    async def _serve(self, call: HttpCall, line: RequestLine) -> None:
        always = self._always.get(call.path)
        if always is not None:
            line.leads_to(call.path)
            await _with_method(call, always)(call)
            return
        counter = await self._open_counter(call)
        if counter is None:
            await _say_not_open(call)
            return
        if (route := counter.route_of(call.path)) is not None:
            line.leads_to(route)
        if call.path in counter.open_table:
            await _with_method(call, counter.open_table[call.path])(call)
            return
        if call.path in counter.signed_table:
            # Their signed link says for whom; they are counted together, as one caller.
            await _within_limits(
                call, counter, "pages", _with_method(call, counter.signed_table[call.path])
            )
            return
        # First of all: a page is to read why it was refused, also that nothing is there.
        if (origin := counter.guard.shares_with(call)) is not None:
            call.share_with(origin)
        methods = _methods(call, counter)
        if call.method == "OPTIONS" and (methods is not None or origin is not None):
            await _preflight(call, methods or {}, origin)
            return
        if methods is None:
            raise HttpCallError(404, "http.no_such_path")
        handler = _with_method(call, methods)
        if call.path == METRICS_PATH and counter.metrics.is_scraper(call):
            await _within_limits(call, counter, "metrics", handler)
            return
        caller, refusal = await counter.guard.judge(call)
        if caller is None:
            assert refusal is not None
            await _deny(call, refusal)
            return
        call.owner, call.caller = owner_of(caller), caller
        await _within_limits(call, counter, caller, handler)

    async def _open_counter(self, call: HttpCall) -> _Counter | None:
        studio = current_studio()
        if studio is None and call.path not in IMMEDIATE:
            studio = await self._early.studio_for(call)
        if studio is None:
            return None
        if self._counter is None or self._counter.studio is not studio:
            self._counter = _Counter(studio, self._pass_name, self._new_limits(), self._timings)
        return self._counter


async def _within_limits(call: HttpCall, counter: _Counter, caller: str, handler: Handler) -> None:
    if (refusal := counter.guard.enter(call, caller)) is not None:
        await _deny(call, refusal)
        return
    try:
        await handler(call)
    finally:
        counter.guard.leave(caller)


def _methods(call: HttpCall, counter: _Counter) -> Mapping[str, Handler] | None:
    """Return what serves the path, by method; None when nothing does."""
    if call.path.startswith(_KLING_PATHS):
        return counter.kling
    if call.path.startswith(MODELS_PREFIX):
        return counter.model
    return counter.table.get(call.path) or counter.drawn_from(call.path)


def _with_method(call: HttpCall, methods: Mapping[str, Handler]) -> Handler:
    handler = methods.get(call.method)
    if handler is None:
        allowed = ", ".join(methods)
        raise HttpCallError(
            405, "http.wrong_method", facts={"allowed": allowed}, headers=(("Allow", allowed),)
        )
    return handler


async def _openapi(call: HttpCall) -> None:
    await call.reply(200, openapi_json(call.base), "application/json; charset=utf-8")


async def _preflight(call: HttpCall, methods: Mapping[str, Handler], origin: str | None) -> None:
    """Answer what a browser asks before it lets a page call."""
    if origin is None and "origin" in call.headers:
        await _refuse(call, 403, text(call.language, "http.foreign_origin"))
        return
    await call.reply(
        204,
        b"",
        "",
        (
            ("Allow", ", ".join(methods)),
            ("Access-Control-Allow-Methods", ", ".join(methods)),
            ("Access-Control-Allow-Headers", _allowed_headers(call)),
            ("Access-Control-Max-Age", str(_PREFLIGHT_S)),
        ),
    )


def _allowed_headers(call: HttpCall) -> str:
    """Return the headers that a page may send: the usual ones, and what its client asks for."""
    asked = call.headers.get("access-control-request-headers", "").lower().split(",")
    names = (name.strip() for name in asked[:_HEADERS_MOST])
    known = [n for n in names if n in _CLIENT_HEADERS or n.startswith(_CLIENT_PREFIXES)]
    return ", ".join((*_ASKED_HEADERS, *(name for name in known if name.isascii())))


async def _say_not_open(call: HttpCall) -> None:
    # Why it is closed, names places on this machine: the pages and the log tell it.
    text_id = "http.opening" if opening_error() is None else "http.closed"
    sentence, headers = text(call.language, text_id), (("Retry-After", "2"),)
    if call.path == ENTER_PATH:
        await say_opening(call, headers)
    elif call.path == "/readyz":
        await call.reply_json(503, {"status": "not ready", "error": sentence}, headers)
    else:
        await _refuse(call, 503, sentence, headers)


async def _deny(call: HttpCall, refusal: HttpRefusal) -> None:
    headers: Headers = ()
    if refusal.retry_after_s is not None:
        headers = (("Retry-After", str(refusal.retry_after_s)),)
    elif refusal.status == 401:
        headers = (("WWW-Authenticate", "Bearer"),)
    await _refuse(call, refusal.status, refusal.sentence, headers)


async def _refuse(
    call: HttpCall, status: int, sentence: str, headers: Headers = (), *, field: str | None = None
) -> None:
    body: dict[str, object] = {"error": sentence}
    if call.path.startswith(f"{KLING_PREFIX}/"):
        body = kling_refusal(status, sentence, call.request_id)
    elif call.path.startswith("/v1/"):
        kind = "server_error" if status >= 500 else "invalid_request_error"
        body = error_body(sentence, kind, param=field)
    await call.reply_json(status, body, (*headers, ("Vary", "Accept-Language")))
