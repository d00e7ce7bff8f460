"""`GET /exchanges`: the X-ray's exchanges, masked, as JSON or HAR, for the owner.

`/xray` is the address of the page.
"""

import asyncio
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from core.web.diagnostics.owner_only import require_owner
from core.web.http_call import JSON_TYPE, HttpCall, HttpCallError, Table
from core.web.posted_fields import queried
from core.web.studio_bridge import StudioBridge
from core.work.xray.recipes import as_har, as_json
from core.work.xray.subjects import traces_about

_About = Annotated[str, Meta(description="The id of an answer or a generation")]


class ExchangesQuery(Struct):
    """Which exchanges are wanted, and as what."""

    format: Literal["json", "har"] = "json"
    about: _About | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=2_000)] = 100


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
        asked = queried(call.query, ExchangesQuery)

        def written() -> bytes:
            found = traces_about(studio, call.owner, asked.about or None)[: asked.limit]
            views = [one.exchange for one in reversed(found)]
            return (as_har if asked.format == "har" else as_json)(views).encode()

        body = await asyncio.to_thread(written)  # masking takes its time
        await call.reply(200, body, JSON_TYPE, (("Cache-Control", "no-store"),))
