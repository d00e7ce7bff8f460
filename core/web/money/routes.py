"""`GET /ledger`: what calls cost, a page at a time as JSON or all of it as CSV.

Who is here or holds a pass sees the studio's; a token sees its own lines, and so does a person.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from core.access.callers import TOKEN
from core.access.owners import LOCAL_OWNER
from core.errors import InputError, StoreError
from core.models.money.ledger import LINE_KINDS
from core.models.money.periods import zone_of
from core.storage.money.filters import LedgerFilter
from core.web.http_call import HttpCall, HttpCallError, Table
from core.web.http_errors import STORE_TEXT_ID
from core.web.studio_bridge import StudioBridge
from core.work.money.export import csv_pieces, line_fields

LIMIT = 50
LIMIT_MOST = 500
_CSV_TYPE = "text/csv; charset=utf-8"
_LINES_AT_ONCE = 500


class LedgerRoutes:
    """The ledger's route."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge

    def table(self) -> Table:
        """Return which method of which path is served by what."""
        return {"/ledger": {"GET": self.ledger}}

    async def ledger(self, call: HttpCall) -> None:
        """Answer with lines, newest first."""
        wanted = self._filter(call)
        shape = call.query.get("format", "json")
        if shape == "csv":
            await self._csv(call, wanted)
            return
        if shape != "json":
            raise _wrong("format", "http.want_one_of", offered="json, csv")
        limit, cursor = _limit(call), call.query.get("cursor") or None
        ledger = self._bridge.studio.store.ledger
        try:
            page = await asyncio.to_thread(ledger.list, wanted, limit=limit, cursor=cursor)
        except InputError as error:
            raise HttpCallError(400, error.text_id, field="cursor") from error
        except StoreError as error:
            raise HttpCallError(503, STORE_TEXT_ID) from error
        lines = [line_fields(line) for line in page.items]
        headers = (("Cache-Control", "no-store"),)
        await call.reply_json(200, {"lines": lines, "next": page.next_cursor}, headers)

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

    def _filter(self, call: HttpCall) -> LedgerFilter:
        zone = self._bridge.studio.store.ledger.plan.zone
        kind = call.query.get("kind") or None
        kinds = [one for one in LINE_KINDS if one == kind]
        if kind is not None and not kinds:
            raise _wrong("kind", "http.want_one_of", offered=", ".join(LINE_KINDS))
        return LedgerFilter(
            owner=None if call.owner == LOCAL_OWNER else call.owner,
            caller=call.caller if call.caller.startswith(TOKEN) else None,
            start=_moment(call, "from", zone),
            end=_moment(call, "to", zone, is_end=True),
            kinds=kinds or None,
        )


def _several(pieces: Iterator[str]) -> bytes:
    return "".join(islice(pieces, _LINES_AT_ONCE)).encode()


def _limit(call: HttpCall) -> int:
    words = call.query.get("limit") or str(LIMIT)
    if not words.isascii() or not words.isdigit() or not 1 <= int(words[:9]) <= LIMIT_MOST:
        raise _wrong("limit", "http.want_limit", most=LIMIT_MOST)
    return int(words)


def _moment(call: HttpCall, name: str, zone: str, *, is_end: bool = False) -> datetime | None:
    """Return a moment; a bare day is that of the owner's zone, as an end it is included."""
    words = (call.query.get(name) or "").strip()
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
        raise _wrong(name, "http.want_moment") from error


def _wrong(name: str, text_id: str, **facts: object) -> HttpCallError:
    return HttpCallError(400, text_id, facts={"field": name, **facts}, field=name)
