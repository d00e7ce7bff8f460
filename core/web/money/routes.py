"""`GET /ledger`: what calls cost, a page at a time as JSON or all of it as CSV.

Who is here or holds a pass sees the studio's; a token sees its own lines, and so does a person.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from core.access.callers import TOKEN
from core.access.owners import LOCAL_OWNER
from core.errors import InputError, StoreError
from core.models.money.ledger import LineKind
from core.models.money.periods import zone_of
from core.storage.money.filters import LedgerFilter
from core.web.http_call import HttpCall, HttpCallError, Table
from core.web.http_errors import STORE_TEXT_ID
from core.web.posted_fields import queried
from core.web.studio_bridge import StudioBridge
from core.work.money.export import LineFields, csv_pieces, line_fields

_CSV_TYPE = "text/csv; charset=utf-8"
_LINES_AT_ONCE = 500


_DAY = "A day of the owner's zone, or a moment in ISO 8601"
_Start = Annotated[str, Meta(description=_DAY)]
_End = Annotated[str, Meta(description=f"{_DAY}; a day is included")]
_Cursor = Annotated[str, Meta(description="`next` of the page before")]


class LedgerQuery(Struct):
    """Which lines are wanted, and as what."""

    start: _Start | UnsetType = field(default=UNSET, name="from")
    end: _End | UnsetType = field(default=UNSET, name="to")
    kind: LineKind | UnsetType = UNSET
    format: Literal["json", "csv"] = "json"
    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    cursor: _Cursor | UnsetType = UNSET


class LedgerPage(Struct):
    """Lines, newest first, and where the next ones begin."""

    lines: list[LineFields]
    next: str | None


class LedgerRoutes:
    """The ledger's route."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge

    def table(self) -> Table:
        """Return which method of which path is served by what."""
        return {"/ledger": {"GET": self.ledger}}

    async def ledger(self, call: HttpCall) -> None:
        """Answer with lines, newest first."""
        asked = queried(call.query, LedgerQuery)
        wanted = self._filter(call, asked)
        if asked.format == "csv":
            await self._csv(call, wanted)
            return
        cursor = asked.cursor or None
        ledger = self._bridge.studio.store.ledger
        try:
            page = await asyncio.to_thread(ledger.list, wanted, limit=asked.limit, cursor=cursor)
        except InputError as error:
            raise HttpCallError(400, error.text_id, field="cursor") from error
        except StoreError as error:
            raise HttpCallError(503, STORE_TEXT_ID) from error
        told = LedgerPage([line_fields(line) for line in page.items], page.next_cursor)
        await call.reply_json(200, told, (("Cache-Control", "no-store"),))

    async def _csv(self, call: HttpCall, wanted: LedgerFilter) -> None:
        pieces = csv_pieces(self._bridge.studio.store.ledger.every(wanted))
        try:
            first = await asyncio.to_thread(_several, pieces)
        except StoreError as error:
            raise HttpCallError(503, STORE_TEXT_ID) from error
        headers = (
            ("Content-Disposition", 'attachment; filename="inkling-ledger.csv"'),
            ("Cache-Control", "no-store"),
        )
        await call.begin(200, _CSV_TYPE, headers)
        await call.feed(first)
        while more := await asyncio.to_thread(_several, pieces):
            await call.feed(more)
        await call.end()

    def _filter(self, call: HttpCall, asked: LedgerQuery) -> LedgerFilter:
        zone = self._bridge.studio.store.ledger.plan.zone
        return LedgerFilter(
            owner=None if call.owner == LOCAL_OWNER else call.owner,
            caller=call.caller if call.caller.startswith(TOKEN) else None,
            start=_moment("from", asked.start, zone),
            end=_moment("to", asked.end, zone, is_end=True),
            kinds=[asked.kind] if asked.kind else None,
        )


def _several(pieces: Iterator[str]) -> bytes:
    return "".join(islice(pieces, _LINES_AT_ONCE)).encode()


def _moment(
    name: str, told: str | UnsetType, zone: str, *, is_end: bool = False
) -> datetime | None:
    """Return a moment; a bare day is that of the owner's zone, as an end it is included."""
    words = (told or "").strip()
    if not words:
        return None
    try:
        if len(words) == len("2026-11-28"):
            day = date.fromisoformat(words) + timedelta(days=1 if is_end else 0)
            return datetime(day.year, day.month, day.day, tzinfo=zone_of(zone))
        # A plus sign of an address means a blank.
        at = datetime.fromisoformat(words.replace(" ", "+") if "T" in words else words)
        return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        facts = {"field": name}
        raise HttpCallError(400, "http.want_moment", facts=facts, field=name) from error
