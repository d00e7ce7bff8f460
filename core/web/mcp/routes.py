"""`/mcp`: Model Context Protocol over streamable HTTP, behind the guard like every other path.

https://modelcontextprotocol.io/specification, revisions up to 2026-07-28, by the official SDK. It
is imported at the first call: it brings pydantic, and most studios never need it.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.types import Message

from core.web.http_call import Handler, HttpCall, HttpCallError
from core.web.mcp.caller import SCOPE_KEY
from core.web.studio_bridge import StudioBridge

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

SESSIONS_MOST = 200
SESSION_IDLE_S = 30 * 60.0
_LOOK_S = 0.2


class McpRoutes:
    """Serves the protocol while a studio is open."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge
        self._opening: asyncio.Task[StreamableHTTPSessionManager] | None = None
        self._running: asyncio.Task[None] | None = None

    def methods(self) -> Mapping[str, Handler]:
        """Return what serves which method of the path."""
        return dict.fromkeys(("POST", "GET", "DELETE"), self.serve)

    async def serve(self, call: HttpCall) -> None:
        """Answer one request of the protocol."""
        body = await call.body() if call.method == "POST" else b""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        opening = self._opening
        try:
            manager = await asyncio.shield(opening)
        except HttpCallError:
            if self._opening is opening:  # the next call tries once more
                self._opening = None
            raise
        came = asyncio.Event()

        async def receive() -> Message:
            if not came.is_set():
                came.set()
                return {"type": "http.request", "body": body, "more_body": False}
            await call.hang_up()
            return {"type": "http.disconnect"}

        await manager.handle_request(_scope(call), receive, call.pass_on)

    async def _open(self) -> "StreamableHTTPSessionManager":
        from core.web.mcp.tools import tool_server  # noqa: PLC0415

        # A thread imports it: that takes a second, in which every stream would stand still.
        server = await self._bridge.in_thread(tool_server, self._bridge)
        from mcp.server.streamable_http_manager import (  # noqa: PLC0415
            StreamableHTTPSessionManager,
        )

        manager = StreamableHTTPSessionManager(
            server, session_idle_timeout=SESSION_IDLE_S, max_sessions=SESSIONS_MOST
        )
        is_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running = asyncio.create_task(self._run(manager, is_up))
        await is_up
        return manager

    async def _run(
        self, manager: "StreamableHTTPSessionManager", is_up: "asyncio.Future[None]"
    ) -> None:
        with suppress(asyncio.CancelledError):  # with the server
            async with manager.run():
                is_up.set_result(None)
                while not self._bridge.studio.is_closing:
                    await asyncio.sleep(_LOOK_S)


def _scope(call: HttpCall) -> dict[str, Any]:
    """Return the request as the SDK sees it: without what let it in, but with whom."""
    from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser  # noqa: PLC0415
    from mcp.server.auth.provider import AccessToken  # noqa: PLC0415

    # A session is good for whoever opened it only.
    known = AccessToken(token="", client_id=f"{call.caller} {call.owner}", scopes=[])
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": call.path,
        "raw_path": call.path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in call.headers.items()
            if name not in ("authorization", "x-api-key", "cookie")
        ],
        "user": AuthenticatedUser(known),
        SCOPE_KEY: call,
    }
