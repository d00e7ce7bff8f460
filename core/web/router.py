"""The HTTP layer other front ends use: finds what serves a call, after the guard has let it in."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from core.access.callers import PassLookup, no_passes
from core.texts.catalogue import text
from core.web.diagnostics.request_log import RequestLine
from core.web.front.early_calls import EarlyCalls
from core.web.front.paths import IMMEDIATE, METRICS_PATH
from core.web.guard.guard import owner_of
from core.web.guard.limits import Limits
from core.web.health import healthz
from core.web.http_call import (
    JSON_TYPE,
    PAYS_AGAIN,
    GoneError,
    Handler,
    HttpCall,
    HttpCallError,
    Table,
)
from core.web.preflight import answer_preflight
from core.web.refusal_replies import deny, refuse, say_not_open
from core.web.timings import HttpTimings
from core.work.loop import LoopEndedError
from core.work.process_studio import current_studio

if TYPE_CHECKING:  # with all that it serves: there as soon as a studio is open
    from core.web.studio_routes import StudioRoutes

logger = logging.getLogger(__name__)


class Bff:
    """An ASGI app for the paths of `core.web.front.paths`; everything else belongs to the pages."""

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
        self._of_studio: StudioRoutes | None = None
        self._early = EarlyCalls()
        self._always: Table = {
            "/healthz": {"GET": healthz, "HEAD": healthz},
            "/openapi.json": {"GET": self._openapi},
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
                await refuse(call, 503, text(call.language, "http.ending"), later)
        except HttpCallError as error:
            sentence = error.sentence(call.language)
            await refuse(call, error.status, sentence, error.headers, field=error.field)
        except Exception:  # the last line of defence: nothing of it may reach the caller
            logger.exception("%s ended with an unexpected error", call)
            if not call.has_begun:
                headers = (PAYS_AGAIN,) if call.pays_again else ()
                await refuse(call, 500, text(call.language, "http.unexpected"), headers)
            # Else it is not ended: a reply that lacks its rest must not look whole.
        finally:
            line.end()

    async def _serve(self, call: HttpCall, line: RequestLine) -> None:
        always = self._always.get(call.path)
        if always is not None:
            line.leads_to(call.path)
            await _with_method(call, always)(call)
            return
        routes = await self._routes(call)
        if routes is None:
            await say_not_open(call)
            return
        if (route := routes.route_of(call.path)) is not None:
            line.leads_to(route)
        if call.path in routes.open_table:
            await _with_method(call, routes.open_table[call.path])(call)
            return
        if call.path in routes.signed_table:
            # Their signed link says for whom; they are counted together, as one caller.
            await routes.serve_within_limits(
                call, "pages", _with_method(call, routes.signed_table[call.path])
            )
            return
        # First of all: a page is to read why it was refused, also that nothing is there.
        if (origin := routes.guard.shares_with(call)) is not None:
            call.share_with(origin)
        methods = routes.methods_of(call)
        if call.method == "OPTIONS" and (methods is not None or origin is not None):
            await answer_preflight(call, methods or {}, origin)
            return
        if methods is None:
            raise HttpCallError(404, "http.no_such_path")
        handler = _with_method(call, methods)
        if call.path == METRICS_PATH and routes.metrics.is_scraper(call):
            await routes.serve_within_limits(call, "metrics", handler)
            return
        caller, refusal = await routes.guard.judge(call)
        if caller is None:
            assert refusal is not None
            await deny(call, refusal)
            return
        call.owner, call.caller = owner_of(caller), caller
        await routes.serve_within_limits(call, caller, handler)

    async def _routes(self, call: HttpCall) -> "StudioRoutes | None":
        studio = current_studio()
        if studio is None and call.path not in IMMEDIATE:
            studio = await self._early.studio_for(call)
        if studio is None:
            return None
        if self._of_studio is None or self._of_studio.studio is not studio:
            # Imported before the studio opens: this finds it.
            from core.web.studio_routes import StudioRoutes  # noqa: PLC0415

            self._of_studio = StudioRoutes(
                studio, self._pass_name, self._new_limits(), self._timings
            )
        return self._of_studio

    async def _openapi(self, call: HttpCall) -> None:
        # Made of what the routes are made of: one thread imports that, at the start.
        if not await self._early.have_modules(call.connection):
            await say_not_open(call)
            return
        await call.reply(200, await asyncio.to_thread(_described, call.base), JSON_TYPE)


def _with_method(call: HttpCall, methods: Mapping[str, Handler]) -> Handler:
    handler = methods.get(call.method)
    if handler is None:
        allowed = ", ".join(methods)
        raise HttpCallError(
            405, "http.wrong_method", facts={"allowed": allowed}, headers=(("Allow", allowed),)
        )
    return handler


def _described(base: str) -> bytes:
    # Put together at the first call: a hundred Structs take a moment, and most studios never need
    # them.
    from core.web.openapi.description import openapi_json  # noqa: PLC0415

    return openapi_json(base)
