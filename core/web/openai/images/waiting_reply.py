"""A JSON reply that takes its time: blanks before its body are the keep-alive, as at DeepSeek.

With the first blank the status is sent, so none comes before the work was accepted, nor while it
may still be quick. What fails later is told in the body, or by the connection's end.
"""

import asyncio

from msgspec import to_builtins

from core.web.http_call import JSON_TYPE, Headers, HttpCall
from core.wire.json_text import write_json


class WaitingReply:
    """Answers a call now or later."""

    def __init__(self, call: HttpCall, keep_alive_s: float) -> None:
        self._call = call
        self._keep_alive_s = keep_alive_s
        self._clock = asyncio.get_running_loop().time
        self._spoke_at = self._clock()

    @property
    def has_begun(self) -> bool:
        """Whether the status is sent."""
        return self._call.has_begun

    async def keep_alive(self) -> None:
        """Say something where nothing was said for a while."""
        if self._clock() - self._spoke_at < self._keep_alive_s:
            return
        self._spoke_at = self._clock()
        if not self.has_begun:
            await self._call.begin(200, JSON_TYPE, (("X-Accel-Buffering", "no"),))
        await self._call.feed(b"\n", is_washed=True)

    async def end(self, status: int, body: object, headers: Headers) -> None:
        """Send the body, with the status where none was sent."""
        if not self.has_begun:
            await self._call.reply_json(status, body, headers)
            return
        await self._call.end(write_json(to_builtins(body)))
