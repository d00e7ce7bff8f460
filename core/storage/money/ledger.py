"""The ledger as the studio reaches it: one line for each call that can cost, and its sums."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select, text

from core.models.money.ledger import (
    BudgetError,
    BudgetPlan,
    BudgetState,
    LedgerLine,
    LineKind,
    LineState,
    Reservation,
    Settlement,
)
from core.models.money.periods import period_start
from core.storage.db.database import Database
from core.storage.db.key_values import KeyValues
from core.storage.db.pagination import Page, behind, bounded, decode_cursor, encode_cursor
from core.storage.db.schema import generations, ledger_lines, messages
from core.storage.money import book
from core.storage.money.book import Settle
from core.storage.money.filters import LedgerFilter
from core.storage.money.rows import line_from
from core.storage.money.sums import Column, Sums, sums
from core.storage.money.totals import spent, total_key

_ZONE_KEY = "money.totals_zone"
_ROWS_AT_ONCE = 500
_FINAL_TASKS = ("archived", "failed", "refused", "cancelled", "succeeded")


class Ledger:
    """Everyone's lines. `plan` is the owner's budgets: set anew when the settings are read."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self.plan = BudgetPlan()

    # -- inside other rooms' transactions ----------------------------------------------------------

    def reserve_in(
        self, connection: Connection, reservations: Sequence[Reservation]
    ) -> list[BudgetError | None]:
        """Reserve with the row that a call belongs to; for each why it was refused, or None."""
        return book.reserve(connection, reservations, self.plan)

    def settle_in(self, connection: Connection, settling: Mapping[str, Settle]) -> int:
        """Settle with the row whose end it is; lines that are settled already stay as they are."""
        return book.settle(connection, settling, self.plan, now=self._clock())

    # -- by itself ---------------------------------------------------------------------------------

    def reserve(self, reservation: Reservation) -> None:
        """Reserve for a call that has no row; BudgetError, and nothing written, without room."""
        with self._database.write() as connection:
            refusal = self.reserve_in(connection, [reservation])[0]
        if refusal is not None:
            raise refusal

    def settle(self, settling: Mapping[str, Settle]) -> int:
        """Settle lines whose calls have no row."""
        with self._database.write() as connection:
            return self.settle_in(connection, settling)

    def correct(self, line_id: str, settled: Settlement) -> bool:
        """Put the provider's own figure in a settled line's place; False when there is none."""
        with self._database.write() as connection:
            query = select(ledger_lines).where(
                ledger_lines.c.id == line_id, ledger_lines.c.state != LineState.RESERVED.value
            )
            row = connection.execute(query.with_for_update()).mappings().one_or_none()
            if row is None:
                return False
            book.correct(connection, line_from(row), settled, self.plan, now=self._clock())
            return True

    def add(self, line: LedgerLine) -> bool:
        """Write a settled line down that nobody reserved; False when its id is there already."""
        with self._database.write() as connection:
            known = select(ledger_lines.c.id).where(ledger_lines.c.id == line.id)
            if connection.scalar(known) is not None:
                return False
            held = Reservation(line)
            book.reserve(connection, [held], BudgetPlan(zone=self.plan.zone))
            return True

    # -- what is left over -------------------------------------------------------------------------

    def settle_left(
        self,
        settle_message: Callable[[str], Settle],
        settle_task: Callable[[str], Settle],
        settle_lost: Settle,
        *,
        before: datetime,
    ) -> int:
        """Settle reserved lines older than `before` whose call has ended without them.

        Of an answer or a task that is final, by its row; of one that is gone, or that never had a
        row and is past its time, as lost. Returns how many.
        """
        now = self._clock()
        with self._database.read() as connection:
            query = (
                select(
                    ledger_lines.c.id,
                    ledger_lines.c.message_id,
                    ledger_lines.c.generation_id,
                    ledger_lines.c.until,
                    messages.c.status.label("answer"),
                    generations.c.status.label("task"),
                )
                .outerjoin(messages, messages.c.id == ledger_lines.c.message_id)
                .outerjoin(generations, generations.c.id == ledger_lines.c.generation_id)
                .where(
                    ledger_lines.c.state == text("'reserved'"),
                    ledger_lines.c.at < before,
                )
            )
            rows = connection.execute(query).all()
        settling: dict[str, Settle] = {}
        for row in rows:
            if row.until is not None:
                if row.until < now:
                    settling[row.id] = settle_lost
            elif row.generation_id is not None:  # first: a picture may be drawn from a message
                if row.task is None:
                    settling[row.id] = settle_lost
                elif row.task in _FINAL_TASKS:
                    settling[row.id] = settle_task(row.generation_id)
            elif row.message_id is not None:
                if row.answer is None:
                    settling[row.id] = settle_lost
                elif row.answer != "running":
                    settling[row.id] = settle_message(row.message_id)
        return self.settle(settling) if settling else 0

    def open_totals(self) -> None:
        """Make the totals of this month anew if they were made for another time zone."""
        with self._database.write() as connection:
            if not self._database.is_sqlite:
                connection.execute(text("LOCK TABLE budget_totals IN EXCLUSIVE MODE"))
            if KeyValues.value_in(connection, _ZONE_KEY) == self.plan.zone:
                return
            start = period_start("month", self._clock(), self.plan.zone)
            query = select(ledger_lines).where(ledger_lines.c.at >= start)
            rows = connection.execute(query).mappings()
            book.rebuild_totals(connection, self.plan, (line_from(row) for row in rows))
            KeyValues.set_in(connection, _ZONE_KEY, self.plan.zone)

    # -- reading -----------------------------------------------------------------------------------

    def budgets(self) -> tuple[BudgetState, ...]:
        """Return where every budget stands now."""
        now, plan = self._clock(), self.plan
        if not plan.budgets:
            return ()
        keys = [
            total_key(one.scope, one.name, one.period, now, one.currency, plan.zone)
            for one in plan.budgets
        ]
        with self._database.read() as connection:
            totals = spent(connection, keys)
        return tuple(book.state_of(budget, now, totals, plan.zone) for budget in plan.budgets)

    def several(self, owner: str, line_ids: Collection[str]) -> dict[str, LedgerLine]:
        """Return lines of an owner by their ids: those of their answers and generations."""
        if not line_ids:
            return {}
        query = select(ledger_lines).where(
            ledger_lines.c.owner == owner, ledger_lines.c.id.in_(sorted(line_ids))
        )
        with self._database.read() as connection:
            return {row["id"]: line_from(row) for row in connection.execute(query).mappings()}

    def of_task(self, provider: str, task_id: str) -> LedgerLine | None:
        """Return the line of a provider's task."""
        with self._database.read() as connection:
            query = select(ledger_lines).where(
                ledger_lines.c.task_id == task_id, ledger_lines.c.provider == provider
            )
            row = connection.execute(query).mappings().first()
        return None if row is None else line_from(row)

    def sums(self, wanted: LedgerFilter, *by: Column) -> tuple[Sums, ...]:
        """Return sums of lines, apart by currency and by these columns, the dearest first."""
        with self._database.read() as connection:
            return sums(connection, wanted, by)

    def dearest(
        self, wanted: LedgerFilter, kind: LineKind, *, limit: int
    ) -> tuple[LedgerLine, ...]:
        """Return the lines of a kind that cost most."""
        query = (
            select(ledger_lines)
            .where(*replace(wanted, kinds=[kind]).conditions(), ledger_lines.c.amount.is_not(None))
            .order_by(ledger_lines.c.amount.desc(), ledger_lines.c.seq)
            .limit(bounded(limit))
        )
        with self._database.read() as connection:
            return tuple(line_from(row) for row in connection.execute(query).mappings())

    def list(
        self, wanted: LedgerFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page[LedgerLine]:
        """Return lines, newest first."""
        limit = bounded(limit)
        order = (ledger_lines.c.at, ledger_lines.c.seq)
        query = (
            select(ledger_lines)
            .where(*wanted.conditions())
            .order_by(*(column.desc() for column in order))
            .limit(limit + 1)
        )
        if cursor is not None:
            query = query.where(behind(order, decode_cursor(cursor, datetime, int)))
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        last = rows[limit - 1] if len(rows) > limit else None
        lines = tuple(line_from(row) for row in rows[:limit])
        return Page(lines, None if last is None else encode_cursor([last["at"], last["seq"]]))

    def every(self, wanted: LedgerFilter) -> Iterator[LedgerLine]:
        """Yield all lines, newest first, a page at a time."""
        cursor: str | None = None
        while True:
            page = self.list(wanted, limit=_ROWS_AT_ONCE, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return
