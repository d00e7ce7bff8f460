"""`GET /checkup`: the check-up's findings, for the owner; `/checkup/beat`: a stream to be timed."""

import asyncio
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from core.access.callers import Verdict
from core.web.chat.routes import STREAM_HEADERS
from core.web.diagnostics.owner_only import require_owner
from core.web.http_call import TEXT_TYPE, HttpCall, Table
from core.web.posted_fields import queried
from core.web.studio_bridge import StudioBridge
from core.work.checkup.finding import gravest_first
from core.work.checkup.front import BEAT_EVERY_S, BEAT_PATH, BEATS
from core.work.checkup.house import look_at_caller
from core.work.checkup.report import as_objects, as_text


class CheckupQuery(Struct):
    """As what the findings are wanted."""

    format: Literal["json", "text"] = "json"


class CheckupRoutes:
    """The check-up's routes; nothing of it costs."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge

    def table(self) -> Table:
        """Return which method of which path is served by what."""
        return {"/checkup": {"GET": self.checkup}, BEAT_PATH: {"GET": self.beat}}

    async def checkup(self, call: HttpCall) -> None:
        """Answer with all findings, the gravest first, and with how this very call came in."""
        require_owner(call)
        asked = queried(call.query, CheckupQuery)
        run = self._bridge.studio.checkups.start()
        findings = await asyncio.to_thread(lambda: list(run.follow()))
        findings += look_at_caller(Verdict(call.caller), call.headers)
        headers = (("Cache-Control", "no-store"),)
        if asked.format == "text":
            told = as_text(findings, call.language, datetime.now(UTC))
            await call.reply(200, told.encode(), TEXT_TYPE, headers)
            return
        await call.reply_json(200, as_objects(gravest_first(findings), call.language), headers)

    async def beat(self, call: HttpCall) -> None:
        """Send events at an even pace: whoever reads them sees what holds them back."""
        await call.begin(200, "text/event-stream", STREAM_HEADERS)
        for number in range(BEATS):
            if number:
                await asyncio.sleep(BEAT_EVERY_S)
            await call.feed(b"data: %d\n\n" % number)
        await call.end()
