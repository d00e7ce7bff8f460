"""`/healthz` and `/readyz`: does the process live, can it work. Neither spends anything."""

import asyncio
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, UnsetType

from core.access.owners import LOCAL_OWNER
from core.errors import StoreError
from core.texts.catalogue import text
from core.web.http_call import HttpCall

if TYPE_CHECKING:
    from core.web.studio_bridge import StudioBridge

CHECK_KEPT_S = 2.0


class Health(Struct, tag_field="status", tag="ok"):
    """The process lives."""


class Ready(Struct, tag_field="status", tag="ready"):
    """It can work; whether with keys or in practice mode."""

    chat: str
    images: str


class NotReady(Struct, tag_field="status", tag="not ready"):
    """It cannot work, and why."""

    error: str
    chat: str | UnsetType = UNSET
    images: str | UnsetType = UNSET
    request_id: str | UnsetType = UNSET


async def healthz(call: HttpCall) -> None:
    """Say that the process lives."""
    await call.reply_json(200, Health())


class Readiness:
    """Says whether the store takes writes, and who answers. Asked by machines, all the time."""

    def __init__(self, bridge: "StudioBridge") -> None:
        self._bridge = bridge
        self._checked_at = float("-inf")
        self._problem: str | None = None  # the id of the text that says why not
        self._checking = asyncio.Lock()

    async def readyz(self, call: HttpCall) -> None:
        """Answer 200 when work can be done, 503 with the reason when not."""
        async with self._checking:
            now = asyncio.get_running_loop().time()
            if now - self._checked_at >= CHECK_KEPT_S:
                self._problem = await self._check()
                self._checked_at = now
        studio = self._bridge.studio
        modes = studio.services.chat_mode(LOCAL_OWNER), studio.services.image_mode(LOCAL_OWNER)
        problem = self._problem
        if problem is None and "unusable" in modes:
            problem = "http.settings_unusable"
        if problem is None:
            await call.reply_json(200, Ready(*modes))
        else:
            await call.reply_json(503, NotReady(text(call.language, problem), *modes))

    async def _check(self) -> str | None:
        try:
            await asyncio.to_thread(self._bridge.studio.store.check_writable)
        except StoreError:
            # Its sentence names a place on this machine: the pages and the log tell it.
            return "http.store_unwritable"
        return None
