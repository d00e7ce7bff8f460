"""The account's own endpoints: packages, and the two books of what was billed. Free of charge."""

import json
from collections.abc import AsyncIterator
from datetime import datetime

from core.models.money.charges import BillingRow
from core.providers.http.pace import Pace
from core.providers.kling.billing import (
    BILLING_PATHS,
    ROWS_MOST,
    BillingPage,
    Book,
    billing_from_json,
    billing_request,
)
from core.providers.kling.signed_calls import SignedCalls
from core.providers.kling.wire import (
    AccountCosts,
    costs_from_json,
)

COSTS_PATH = "/account/costs"  # without /v1
BILLING_INTERVAL_S = 1.0


class KlingAccount:
    """Asks what an account has left, and what was billed to it."""

    def __init__(self, calls: SignedCalls, *, billing_pace: Pace | None = None) -> None:
        self._calls = calls
        self._billing_pace = billing_pace or Pace(BILLING_INTERVAL_S)

    async def costs(self, *, start: datetime, end: datetime) -> AccountCosts:
        """Return the account's packages; free of charge, at most once a second."""
        span = f"start_time={_milliseconds(start)}&end_time={_milliseconds(end)}"
        reply = await self._calls.call("GET", f"{COSTS_PATH}?{span}")
        self._calls.check_inner(reply)
        costs = costs_from_json(reply.data)
        if costs is None:
            raise self._calls.lacks("the packages", reply)
        return costs

    async def billing(
        self,
        book: Book,
        *,
        start: datetime,
        end: datetime,
        cursor: str | None = None,
        limit: int = ROWS_MOST,
    ) -> BillingPage:
        """Return a page of one of the account's books; free of charge, one call a second."""
        await self._billing_pace.turn()
        body = json.dumps(billing_request(start, end, cursor, limit)).encode()
        reply = await self._calls.call("POST", BILLING_PATHS[book], body=body)
        self._calls.check_inner(reply)
        page = billing_from_json(book, reply.data)
        if page is None or (cursor is not None and page.next_cursor == cursor):
            raise self._calls.lacks("the billing rows", reply)
        return page

    async def billing_rows(
        self, book: Book, *, start: datetime, end: datetime, limit: int = ROWS_MOST
    ) -> AsyncIterator[BillingRow]:
        """Yield all rows of a book between two moments, page by page."""
        cursor: str | None = None
        while True:
            page = await self.billing(book, start=start, end=end, cursor=cursor, limit=limit)
            for row in page.rows:
                yield row
            if (cursor := page.next_cursor) is None:
                return


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
