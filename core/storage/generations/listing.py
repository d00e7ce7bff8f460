"""Lists and counts of generations, and taking them out of the lists."""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from core.models.generations import Generation, GenerationStatus
from core.models.kinds import KINDS
from core.models.speech import SpeechRequest
from core.storage.db.database import Database
from core.storage.db.like import contains
from core.storage.db.pagination import Page, behind, bounded, decode_cursor, encode_cursor
from core.storage.db.schema import (
    blobs,
    generation_references,
    generations,
    message_blobs,
    pictures,
)
from core.storage.generations.rows import find_generation, generation_gone, with_pictures
from core.storage.lineage.links import forget_requests

_ORDER = (generations.c.created_at, generations.c.id)
_FINAL = tuple(status.value for status in GenerationStatus if status.is_final)
# Literals, not parameters, and in the index's own order: only so is `generations_open` used.
IS_OPEN = generations.c.status.not_in([literal_column(f"'{status}'") for status in sorted(_FINAL)])
# Kling lists a task for 30 days; until then a deleted one must stay known, or recovery would bring
# it back.
_RETENTION = timedelta(days=31)
# What is spoken belongs to what it is read from: hundreds of sentences would hide the pictures.
_IS_LISTED = generations.c.kind != SpeechRequest.kind


class Standing(NamedTuple):
    """So many open generations of a kind stand in one state."""

    provider: str
    kind: str
    status: str
    how_many: int
    oldest: datetime


class GenerationLists:
    """Generations, many at a time."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def list(
        self,
        owner: str,
        *,
        active_only: bool = False,
        statuses: Collection[GenerationStatus] | None = None,
        text: str = "",
        model: str | None = None,
        ratio: str | None = None,
        kind: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = 30,
    ) -> Page[Generation]:
        """Return this owner's generations with their pictures, newest first."""
        limit = bounded(limit)
        query = (
            select(generations)
            .where(generations.c.owner == owner, generations.c.deleted_at.is_(None), _IS_LISTED)
            .order_by(*(column.desc() for column in _ORDER))
            .limit(limit + 1)
        )
        if active_only:
            query = query.where(IS_OPEN)
        if since is not None:
            query = query.where(generations.c.created_at >= since)
        if until is not None:
            query = query.where(generations.c.created_at < until)
        if cursor is not None:
            query = query.where(behind(_ORDER, decode_cursor(cursor, datetime, str)))
        with self._database.read() as connection:
            query = query.where(
                *request_conditions(
                    connection, text=text, model=model, ratio=ratio, kind=kind, statuses=statuses
                )
            )
            rows = connection.execute(query).mappings().all()
            items = with_pictures(connection, rows[:limit])
        if len(rows) <= limit:
            return Page(items)
        return Page(items, encode_cursor((items[-1].created_at, items[-1].id)))

    def models(self, owner: str) -> tuple[str, ...]:
        """Return the models this owner's pictures were made with."""
        query = (
            select(generations.c.model_name)
            .where(generations.c.owner == owner, generations.c.model_name != "", _IS_LISTED)
            .distinct()
            .order_by(generations.c.model_name)
        )
        with self._database.read() as connection:
            return tuple(connection.scalars(query))

    def counts(self, provider: str | None = None) -> dict[GenerationStatus, int]:
        """Return how many generations of everyone stand where."""
        query = select(generations.c.status, func.count()).group_by(generations.c.status)
        if provider is not None:
            query = query.where(generations.c.provider == provider)
        with self._database.read() as connection:
            return {GenerationStatus(status): count for status, count in connection.execute(query)}

    def standings(self) -> tuple[Standing, ...]:
        """Return where the open generations of everyone stand, and since when the oldest does."""
        columns = (generations.c.provider, generations.c.kind, generations.c.status)
        oldest = func.min(generations.c.created_at)
        query = select(*columns, func.count(), oldest).where(IS_OPEN).group_by(*columns)
        with self._database.read() as connection:
            return tuple(Standing(*row) for row in connection.execute(query))

    def counts_since(self, owner: str, since: datetime) -> dict[GenerationStatus, int]:
        """Return how many of this owner's generations since a moment stand where."""
        query = (
            select(generations.c.status, func.count())
            .where(
                generations.c.owner == owner,
                generations.c.deleted_at.is_(None),
                generations.c.created_at >= since,
                _IS_LISTED,
            )
            .group_by(generations.c.status)
        )
        with self._database.read() as connection:
            return {GenerationStatus(status): count for status, count in connection.execute(query)}

    def slots_in_flight(self, provider: str) -> Counter[str]:
        """Return how many of the account's slots are taken in each of its packages."""
        counted = [
            GenerationStatus.SUBMITTED.value,
            GenerationStatus.PROCESSING.value,
            GenerationStatus.UNCERTAIN.value,
        ]
        # Summed up here: to group by kind SQLite would read all that were ever made.
        query = select(generations.c.kind, generations.c.slots).where(
            IS_OPEN,
            generations.c.provider == provider,
            or_(
                generations.c.status.in_(counted),
                and_(
                    generations.c.status == GenerationStatus.INTENDED.value,
                    generations.c.sending_at.is_not(None),
                ),
            ),
        )
        taken: Counter[str] = Counter()
        with self._database.read() as connection:
            for kind, slots in connection.execute(query):
                if kind in KINDS:
                    taken[KINDS[kind].request_type.package] += slots
        return taken

    def finished_durations(
        self, provider: str, *, kind: str, model: str, resolution: str, n: int, limit: int = 200
    ) -> tuple[float, ...]:
        """Return how many seconds such tasks took here from submission to end, newest first."""
        query = (
            select(generations.c.submitted_at, generations.c.finished_at)
            .where(
                generations.c.provider == provider,
                generations.c.kind == kind,
                generations.c.model_name == model,
                generations.c.resolution == resolution,
                generations.c.n == n,
                generations.c.finished_at.is_not(None),
                generations.c.submitted_at.is_not(None),
                generations.c.status.in_(
                    [GenerationStatus.SUCCEEDED.value, GenerationStatus.ARCHIVED.value]
                ),
            )
            .order_by(generations.c.finished_at.desc())
            .limit(bounded(limit))
        )
        with self._database.read() as connection:
            return tuple(
                (finished_at - submitted_at).total_seconds()
                for submitted_at, finished_at in connection.execute(query)
                if finished_at >= submitted_at  # else the clock was set back meanwhile
            )

    def delete(self, owner: str, generation_id: str) -> bool:
        """Hide an ended generation with its pictures; False while it is under way."""
        now = self._clock()
        with self._database.write() as connection:
            hidden = connection.execute(
                update(generations)
                .where(
                    generations.c.id == generation_id,
                    generations.c.owner == owner,
                    generations.c.status.in_(_FINAL),
                    generations.c.deleted_at.is_(None),
                )
                .values(deleted_at=now)
            )
            if hidden.rowcount == 1:
                _set_pictures_deleted(connection, generation_id, before=None, after=now)
            return hidden.rowcount == 1

    def restore(self, owner: str, generation_id: str) -> Generation:
        """Undo delete, for the pictures that went with it too."""
        mine = (generations.c.id == generation_id) & (generations.c.owner == owner)
        with self._database.write() as connection:
            deleted_at = connection.scalar(select(generations.c.deleted_at).where(mine))
            if deleted_at is not None:
                connection.execute(update(generations).where(mine).values(deleted_at=None))
                _set_pictures_deleted(connection, generation_id, before=deleted_at, after=None)
            generation = find_generation(connection, mine)
        if generation is None:
            raise generation_gone()
        return generation

    def purge(self, deleted_before: datetime) -> int:
        """Remove for good what was deleted before that moment, once its files are gone and Kling
        lists it no longer; return how many."""
        no_picture = ~exists().where(pictures.c.generation_id == generations.c.id)
        unused = ~exists().where(generations.c.reference_sha256 == blobs.c.sha256)
        unused &= ~exists().where(generation_references.c.sha256 == blobs.c.sha256)
        unused &= ~exists().where(message_blobs.c.sha256 == blobs.c.sha256)
        # An intent being written down this moment keeps its picture first.
        settled = blobs.c.created_at < self._clock() - _RETENTION
        with self._database.write() as connection:
            doomed = (
                (generations.c.deleted_at < deleted_before)
                & (generations.c.created_at < self._clock() - _RETENTION)
                & no_picture
            )
            forget_requests(connection, doomed)
            purged = connection.execute(delete(generations).where(doomed))
            connection.execute(delete(blobs).where(unused, settled))
            return purged.rowcount


def request_conditions(
    connection: Connection,
    *,
    text: str,
    model: str | None,
    ratio: str | None,
    kind: str | None,
    statuses: Collection[GenerationStatus] | None,
) -> list[ColumnElement[bool]]:
    """Return what a filter asks of a generation; every word must occur in the prompt."""
    conditions = [contains(connection, generations.c.prompt, word) for word in text[:200].split()]
    if model is not None:
        conditions.append(generations.c.model_name == model)
    if ratio is not None:
        conditions.append(generations.c.aspect_ratio == ratio)
    if kind is not None:
        conditions.append(generations.c.kind == kind)
    if statuses is not None:
        conditions.append(generations.c.status.in_([status.value for status in statuses]))
    return conditions


def _set_pictures_deleted(
    connection: Connection, generation_id: str, *, before: Any, after: datetime | None
) -> None:
    connection.execute(
        update(pictures)
        .where(
            pictures.c.generation_id == generation_id,
            pictures.c.deleted_at.is_(None) if before is None else pictures.c.deleted_at == before,
        )
        .values(deleted_at=after)
    )
