"""Leases: which process works on which generation, so that no two do.

Whose lease is free is never told by comparing its end with a clock: hosts at one database have
clocks of their own, which jump. A lease is held until it is given back, or until somebody has seen
it stand still for as long as one lasts (`held`, `end`).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, or_, select, update

from core.models.generations import Generation, GenerationStatus
from core.models.kinds import KINDS
from core.storage.db.database import Database
from core.storage.db.pagination import bounded
from core.storage.db.schema import generations
from core.storage.generations.listing import IS_OPEN
from core.storage.generations.rows import with_pictures

# Nothing is ever planned further ahead: a plan that is was made before the clock was set back.
PLAN_LONGEST = timedelta(minutes=10)


_IDS_AT_ONCE = 500
_FREE = update(generations).where(IS_OPEN).values(lease_owner=None, lease_until=None)
_END = _FREE.where(
    generations.c.id == bindparam("lease_id"), generations.c.lease_until == bindparam("if_until")
)


class Leases:
    """Hands out generations that are due, each to one process for a while."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim_due(
        self,
        process_id: str,
        *,
        now: datetime,
        limit: int,
        lease_s: float,
        statuses: Collection[GenerationStatus],
        provider: str | None = None,
    ) -> tuple[Generation, ...]:
        """Lease generations whose time has come and that nobody holds, oldest due first.

        A kind that this version does not know is left to one that does.
        """
        due = (
            select(generations.c.id)
            .where(
                *_wanted(statuses, provider),
                generations.c.kind.in_(list(KINDS)),
                # Written in the future: the clock was set back since, and its plans are void.
                or_(
                    generations.c.next_check_at <= now,
                    generations.c.next_check_at > now + PLAN_LONGEST,
                    generations.c.updated_at > now,
                ),
                generations.c.lease_until.is_(None),
            )
            .order_by(generations.c.next_check_at, generations.c.created_at)
            .limit(bounded(limit))
            .with_for_update(skip_locked=True)
        )
        with self._database.write() as connection:
            ids = connection.scalars(due).all()
            if not ids:
                return ()
            connection.execute(
                update(generations)
                .where(generations.c.id.in_(ids))
                .values(lease_owner=process_id, lease_until=now + timedelta(seconds=lease_s))
            )
            query = (
                select(generations)
                .where(generations.c.id.in_(ids))
                .order_by(generations.c.next_check_at, generations.c.created_at)
            )
            return with_pictures(connection, connection.execute(query).mappings().all())

    def release(
        self,
        generation_id: str,
        process_id: str,
        *,
        next_check_at: datetime,
        polled: bool = False,
    ) -> bool:
        """Give a generation back until `next_check_at`; False when it is not ours any more."""
        with self._database.write() as connection:
            released = connection.execute(
                update(generations)
                .where(generations.c.id == generation_id, generations.c.lease_owner == process_id)
                .values(
                    lease_owner=None,
                    lease_until=None,
                    next_check_at=next_check_at,
                    poll_count=generations.c.poll_count + int(polled),
                )
            )
            return released.rowcount == 1

    def renew(
        self, process_id: str, generation_ids: Sequence[str], *, now: datetime, lease_s: float
    ) -> frozenset[str]:
        """Hold on to these; return those that are still ours."""
        with self._database.write() as connection:
            # Locked in one order first, so that two processes cannot wait for each other.
            ours = connection.scalars(
                select(generations.c.id)
                .where(
                    generations.c.id.in_(generation_ids), generations.c.lease_owner == process_id
                )
                .order_by(generations.c.id)
                .with_for_update()
            ).all()
            connection.execute(
                update(generations)
                .where(generations.c.id.in_(ours))
                .values(lease_until=now + timedelta(seconds=lease_s))
            )
            return frozenset(ours)

    def free(self, process_id: str, generation_ids: Sequence[str]) -> None:
        """Give these back, as far as they are still ours: the next process takes them up."""
        self._free(generations.c.id.in_(generation_ids), generations.c.lease_owner == process_id)

    def take_over(self, process_id: str) -> int:
        """Free the leases of all other processes; return how many.

        For a process that is the only one at the database: the others are gone.
        """
        return self._free(generations.c.lease_owner != process_id)

    def held(self, provider: str | None = None) -> dict[str, datetime]:
        """Return the ends of all leases on what is open."""
        query = select(generations.c.id, generations.c.lease_until).where(
            *_open(provider), generations.c.lease_until.is_not(None)
        )
        with self._database.read() as connection:
            return {row.id: row.lease_until for row in connection.execute(query)}

    def end(self, ends: Mapping[str, datetime]) -> None:
        """Free leases, each if it still ends at the moment that is given: nobody has renewed it."""
        for at in range(0, len(ends), _IDS_AT_ONCE):
            some = sorted(ends)[at : at + _IDS_AT_ONCE]
            with self._database.write() as connection:
                connection.execute(_END, [{"lease_id": one, "if_until": ends[one]} for one in some])

    def _free(self, *conditions: ColumnElement[bool]) -> int:
        with self._database.write() as connection:
            return connection.execute(_FREE.where(*conditions)).rowcount


def _wanted(
    statuses: Collection[GenerationStatus], provider: str | None
) -> list[ColumnElement[bool]]:
    among = generations.c.status.in_([status.value for status in statuses])
    return [*_open(provider), among]


def _open(provider: str | None) -> list[ColumnElement[bool]]:
    return [IS_OPEN] if provider is None else [IS_OPEN, generations.c.provider == provider]
