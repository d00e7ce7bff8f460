"""Looks at Kling for many watchers at once: one request for all who ask within a short time."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from core.errors import AppError
from core.providers.kling.signed_calls import KlingReply

# Pages poll every two seconds and more: so old may an answer be for one that was created elsewhere.
RUNNING_S = 2.0
# Nothing changes any more; the links in it are signed and lapse, but not within minutes.
FINISHED_S = 60.0
KEPT_MOST = 500


@dataclass(frozen=True, slots=True)
class _Kept:
    reply: KlingReply
    until: float


class KlingReplies:
    """Holds the last replies briefly, in memory only: links are never stored. One event loop."""

    def __init__(
        self, fetch: Callable[[str], Awaitable[KlingReply]], *, clock: Callable[[], float]
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._asked: dict[str, asyncio.Task[KlingReply]] = {}

    async def get(self, target: str) -> KlingReply:
        """Return Kling's reply about a task, fresh or from a moment ago."""
        kept = self._kept.get(target)
        if kept is not None and kept.until > self._clock():
            return kept.reply
        asking = self._asked.get(target)
        if asking is None:
            asking = asyncio.create_task(self._ask(target))
            self._asked[target] = asking
            asking.add_done_callback(partial(self._forget, target))
        return await asyncio.shield(asking)

    async def _ask(self, target: str) -> KlingReply:
        reply = await self._fetch(target)
        now = self._clock()
        if len(self._kept) >= KEPT_MOST:
            self._kept = {name: kept for name, kept in self._kept.items() if kept.until > now}
        if reply.status_code < 500 and len(self._kept) < KEPT_MOST:
            kept_s = FINISHED_S if _is_finished(reply) else RUNNING_S
            self._kept[target] = _Kept(reply, now + kept_s)
        return reply

    def _forget(self, target: str, asking: "asyncio.Task[KlingReply]") -> None:
        del self._asked[target]
        if not asking.cancelled() and isinstance(asking.exception(), AppError):
            return  # told to everyone who waited


def _is_finished(reply: KlingReply) -> bool:
    try:
        data = json.loads(reply.content)["data"]
        return data["task_status"] in ("succeed", "failed")
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
