"""`/healthz` and `/readyz`: does the process live, can it work. Neither spends anything."""

import asyncio

from core.errors import StoreError
from core.web.http_call import Call
from core.web.studio_bridge import OWNER, Desk

CHECK_KEPT_S = 2.0


async def healthz(call: Call) -> None:
    """Say that the process lives."""
    await call.reply_json(200, {"status": "ok"})


class Readiness:
    """Says whether the store takes writes, and who answers. Asked by machines, all the time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._checked_at = float("-inf")
        self._trouble: str | None = None
        self._checking = asyncio.Lock()

    async def readyz(self, call: Call) -> None:
        """Answer 200 when work can be done, 503 with the reason when not."""
        async with self._checking:
            now = asyncio.get_running_loop().time()
            if now - self._checked_at >= CHECK_KEPT_S:
                self._trouble = await self._check()
                self._checked_at = now
        studio = self._desk.studio
        modes = {
            "chat": studio.services.chat_mode(OWNER),
            "images": studio.services.image_mode(OWNER),
        }
        if self._trouble is not None:
            await call.reply_json(503, {"status": "not ready", "error": self._trouble, **modes})
        elif "unusable" in modes.values():
            await call.reply_json(
                503,
                {
                    "status": "not ready",
                    "error": "A provider's settings cannot be used; the pages name them.",
                    **modes,
                },
            )
        else:
            await call.reply_json(200, {"status": "ready", **modes})

    async def _check(self) -> str | None:
        try:
            await asyncio.to_thread(self._desk.studio.store.check_writable)
        except StoreError:
            # Its sentence names a place on this machine: the pages and the log tell it.
            return "The store cannot be written; see the log."
        return None
