"""Middleware in front of the pages: what is the HTTP layer's, what is a page's, what is nothing."""

from collections.abc import Callable, Collection, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.access.callers import PassLookup, no_passes
from core.access.connection import ConnectionFacts
from core.web.front.base_path import BasePath, below
from core.web.front.connection import HEADERS_KEY, PEER_KEY, for_script, with_peer
from core.web.front.early_calls import EarlyCalls
from core.web.front.not_found import redirect, reply_nothing_here, reply_wrong_method
from core.web.front.page_files import FOLDER, PageFiles
from core.web.front.page_origins import is_readable_origin
from core.web.front.page_paths import PagePaths
from core.web.front.paths import serves
from core.web.front.small_page import SmallPage, is_person
from core.web.guard.limits import Limits
from core.web.http_call import RETRY_SOON, HttpCall
from core.web.refusal_replies import say_not_open
from core.web.router import Bff
from core.web.timings import HttpTimings
from core.work.process_studio import current_studio, has_modules, is_awaited, opening_error

_NOT_LOADED = SmallPage("not_loaded.title", "not_loaded.hint", "not_loaded.link")
_OPENING = SmallPage("enter.opening_title", "enter.opening", "not_loaded.link")


class BeforePages:
    """The HTTP layer as the outermost middleware, not as routes: so the pieces of a stream do not
    pass through what only the pages need (their session cookie, compression)."""

    def __init__(
        self,
        app: ASGIApp,
        base_path: Callable[[], str],
        pages: Collection[str],
        page_files: Mapping[str, bytes],
        pass_name: PassLookup = no_passes,
        new_limits: Callable[[], Limits] = Limits,
        timings: HttpTimings = HttpTimings(),  # noqa: B008 - frozen
    ) -> None:
        self._pages = app
        # Asked now, when the server builds its app: it reads its own configuration then too.
        self._base = BasePath(base_path())
        self._paths = PagePaths(pages)
        self._files = PageFiles(page_files)
        self._early = EarlyCalls()
        self._bff = Bff(self._base.url, pass_name, new_limits, timings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI)."""
        if scope["type"] not in ("http", "websocket"):
            await self._pages(scope, receive, send)
            return
        # Before all else, and whether or not the studio is open: the facts of every connection.
        studio = current_studio()
        scope = with_peer(scope, receive, studio.settings.access if studio else None)
        place = self._base.place(scope)
        if scope["type"] == "http" and serves(place.path):
            await self._bff(below(scope, place), receive, send)
            return
        if scope["type"] == "http" and place.path.startswith(FOLDER):
            await self._files.serve(
                HttpCall(below(scope, place), receive, send, base=self._base.url)
            )
            return
        for_pages = for_script(self._base.for_pages(scope, place))
        if scope["type"] == "websocket":
            if not is_readable_origin(scope) or not await self._have_modules(scope):
                await send({"type": "websocket.close", "code": 1008})  # 403: it is not open yet
                return
            await self._pages(for_pages, receive, send)
            return
        kind = self._paths.kind(place)
        call = HttpCall(below(scope, place), receive, send, base=self._base.url)
        if kind == "nothing":
            await reply_nothing_here(call)
        elif kind == "redirect":
            await redirect(call, self._paths.target(place, self._base.url))
        elif kind == "page" and call.method not in ("GET", "HEAD"):
            await reply_wrong_method(call)
        elif not has_modules() and not await self._may_pass_early(call):
            await _say_not_loaded(call)
        elif kind == "asset":
            await self._without_html(call, for_pages, receive, send)
        else:
            await self._pages(for_pages, receive, send)

    async def _may_pass_early(self, call: HttpCall) -> bool:
        """Wait for the modules, but with what a browser loads before it opens its websocket.

        Those are files of Streamlit's own, the same for everybody; all else leads to a script.
        """
        is_file = self._paths.is_same_for_all(call.path) and call.method in ("GET", "HEAD")
        return (is_file and is_awaited()) or await self._early.have_modules(call.connection)

    async def _have_modules(self, scope: Scope) -> bool:
        connection = ConnectionFacts.of(scope[PEER_KEY], scope[HEADERS_KEY])
        return await self._early.have_modules(connection)

    async def _without_html(
        self, call: HttpCall, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass a request on; where the page's HTML comes for a file, say that it is not there."""
        is_page = False

        async def send_files_only(message: Message) -> None:
            nonlocal is_page
            if message["type"] == "http.response.start":
                is_page = message["status"] < 400 and _is_html(message)
            if not is_page:
                await send(message)

        await self._pages(scope, receive, send_files_only)
        if is_page:
            await reply_nothing_here(call)


async def _say_not_loaded(call: HttpCall) -> None:
    if is_person(call):
        page = _OPENING if opening_error() is None else _NOT_LOADED
        await page.reply(call, 503, RETRY_SOON)
    else:
        await say_not_open(call)


def _is_html(start: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.lower().startswith(b"text/html")
        for name, value in start["headers"]
    )
