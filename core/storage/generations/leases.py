"""Leases: which process works on which generation, so that no two do."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update

from core.models.generations import Generation, GenerationStatus
from core.models.kinds import KINDS
from core.storage.db.database import Database
from core.storage.db.pagination import bounded
from core.storage.db.schema import generations
from core.storage.generations.listing import IS_OPEN
from core.storage.generations.rows import with_pictures

# Nothing is ever planned further ahead: a plan that is was made before the clock was set back.
PLAN_LONGEST = timedelta(minutes=10)


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
                or_(generations.c.lease_until.is_(None), generations.c.lease_until <= now),
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

    def take_over(self, process_id: str, *, is_only_process: bool, now: datetime) -> int:
        """Free the leases of processes that are gone: those that ran out, and all of others' when
        this process is the only one; return how many."""
        gone: ColumnElement[bool] = generations.c.lease_until <= now
        if is_only_process:
            gone = or_(gone, generations.c.lease_owner != process_id)
        with self._database.write() as connection:
            return connection.execute(
                update(generations).where(IS_OPEN, gone).values(lease_owner=None, lease_until=None)
            ).rowcount

    def beyond(
        self, *, now: datetime, lease_s: float, provider: str | None = None
    ) -> dict[str, datetime]:
        """Return the ends of leases that reach further than one given now would: each was given by
        another clock, or before this one was set back."""
        query = select(generations.c.id, generations.c.lease_until).where(
            *_open(provider),
            generations.c.lease_until > now + timedelta(seconds=lease_s),
        )
        with self._database.read() as connection:
            return {row.id: row.lease_until for row in connection.execute(query)}

    def end(self, generation_id: str, *, if_until: datetime) -> bool:
        """Free one lease, if it still ends at that moment: nobody has renewed it since."""
        with self._database.write() as connection:
            ended = connection.execute(
                update(generations)
                .where(generations.c.id == generation_id, generations.c.lease_until == if_until)
                .values(lease_owner=None, lease_until=None)
            )
            return ended.rowcount == 1


def _wanted(
    statuses: Collection[GenerationStatus], provider: str | None
) -> list[ColumnElement[bool]]:
    among = generations.c.status.in_([status.value for status in statuses])
    return [*_open(provider), among]


def _open(provider: str | None) -> list[ColumnElement[bool]]:
    return [IS_OPEN] if provider is None else [IS_OPEN, generations.c.provider == provider]
