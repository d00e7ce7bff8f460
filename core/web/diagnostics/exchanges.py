"""`GET /exchanges`: the X-ray's exchanges, masked, as JSON or HAR, for the owner.

`/xray` is the address of the page.
"""

import asyncio

from core.web.diagnostics.owner_only import require_owner
from core.web.http_call import JSON_TYPE, HttpCall, HttpCallError, Table
from core.web.studio_bridge import StudioBridge
from core.work.xray.recipes import as_har, as_json
from core.work.xray.subjects import traces_about

SHAPES = ("json", "har")
LIMIT, LIMIT_MOST = 100, 2_000


class ExchangeRoutes:
    """The X-ray's route."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge

    def table(self) -> Table:
        """Return which method of which path is served by what."""
        return {"/exchanges": {"GET": self.exchanges}}

    async def exchanges(self, call: HttpCall) -> None:
        """Answer with exchanges, oldest first; `about` names an answer or a generation."""
        require_owner(call)
        studio = self._bridge.studio
        if not studio.xray.is_on:
            raise HttpCallError(404, "xray.off")
        shape = call.query.get("format", "json")
        if shape not in SHAPES:
            facts = {"field": "format", "offered": ", ".join(SHAPES)}
            raise HttpCallError(400, "http.want_one_of", facts=facts, field="format")
        limit = _limit(call)
        subject = call.query.get("about") or None

        def written() -> bytes:
            found = traces_about(studio, call.owner, subject)[:limit]
            views = [one.exchange for one in reversed(found)]
            return (as_har if shape == "har" else as_json)(views).encode()

        body = await asyncio.to_thread(written)  # masking takes its time
        await call.reply(200, body, JSON_TYPE, (("Cache-Control", "no-store"),))


def _limit(call: HttpCall) -> int:
    words = call.query.get("limit") or str(LIMIT)
    if not words.isascii() or not words.isdigit() or not 1 <= int(words[:9]) <= LIMIT_MOST:
        facts = {"field": "limit", "most": LIMIT_MOST}
        raise HttpCallError(400, "http.want_limit", facts=facts, field="limit")
    return int(words)
