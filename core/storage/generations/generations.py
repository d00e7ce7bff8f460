"""Generations: paid picture tasks, every step of theirs one transaction with its history row."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, literal, select, update

from core.models.generations import (
    Generation,
    GenerationEvent,
    GenerationStatus,
    Note,
    ReferenceImage,
)
from core.storage.db.database import Database
from core.storage.db.key_values import KeyValues
from core.storage.db.schema import blobs, generation_events, generations
from core.storage.generations import notes
from core.storage.generations.rows import (
    STEPS,
    answer_key,
    find_generation,
    record,
    reference_hashes,
    require_generation,
)
from core.storage.money.book import Settle
from core.storage.money.ledger import Ledger

_INTENDED = GenerationStatus.INTENDED
_UNCERTAIN = GenerationStatus.UNCERTAIN


class Generations:
    """The task records: what was asked for, and where each stands."""

    def __init__(self, database: Database, clock: Callable[[], datetime], ledger: Ledger) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger

    def get(self, owner: str, generation_id: str) -> Generation | None:
        """Return this owner's generation with its pictures."""
        return self._find(generations.c.owner == owner, generations.c.id == generation_id)

    def get_by_external_id(self, owner: str, external_task_id: str) -> Generation | None:
        """Return this owner's generation by our own id for it."""
        return self._find(
            generations.c.owner == owner, generations.c.external_task_id == external_task_id
        )

    def get_by_task_id(self, owner: str, task_id: str) -> Generation | None:
        """Return this owner's generation by Kling's id for it."""
        return self._find(generations.c.owner == owner, generations.c.task_id == task_id)

    def load(self, generation_id: str) -> Generation | None:
        """Return anyone's generation, for the studio's own work."""
        return self._find(generations.c.id == generation_id)

    def references(self, generation_id: str) -> tuple[ReferenceImage, ...]:
        """Return the pictures that go with the prompt, in their order."""
        with self._database.read() as connection:
            hashes = reference_hashes(connection, generation_id)
            query = select(blobs).where(blobs.c.sha256.in_(hashes))
            rows = connection.execute(query).mappings().all() if hashes else ()
        by_hash = {
            row["sha256"]: ReferenceImage(bytes(row["content"]), row["media_type"]) for row in rows
        }
        return tuple(by_hash[sha256] for sha256 in hashes)

    def find_by_key(self, owner: str, idempotency_key: str) -> Generation | None:
        """Return what this owner asked for under a key; None where nothing was."""
        return self._find(
            (generations.c.owner == owner) & (generations.c.idempotency_key == idempotency_key)
        )

    def history(self, owner: str, generation_id: str) -> tuple[GenerationEvent, ...]:
        """Return what happened to the generation, oldest first."""
        query = (
            select(generation_events)
            .join(generations, generations.c.id == generation_events.c.generation_id)
            .where(generations.c.owner == owner, generations.c.id == generation_id)
            .order_by(generation_events.c.seq)
        )
        with self._database.read() as connection:
            return tuple(
                GenerationEvent(
                    row["generation_id"],
                    row["at"],
                    GenerationStatus(row["status"]),
                    notes.read(row["note"]),
                )
                for row in connection.execute(query).mappings()
            )

    # Steps

    def move(
        self,
        generation_id: str,
        *,
        to: GenerationStatus,
        expect: Collection[GenerationStatus],
        note: Note | None = None,
        task_id: str | None = None,
        submitted_at: datetime | None = None,
        finished_at: datetime | None = None,
        error_text_id: str | None = None,
        error_facts: Mapping[str, object] | None = None,
        error_detail: str | None = None,
        unit_deduction: str | None = None,
        next_check_at: datetime | None = None,
        settle: Settle | None = None,
    ) -> Generation | None:
        """Take one legal step, or add a remark where it stands (`to` equals the status).

        None: it is not in `expect` any more. A step replaces error_*, a remark adds to it; other
        fields that are None stay. A step that STEPS does not know is a mistake: ValueError. With
        `settle` its line in the ledger is settled in the same transaction; the last step forgets
        the reply that was kept for the ones before.
        """
        given: dict[str, Any] = {
            "task_id": task_id,
            "submitted_at": submitted_at,
            "finished_at": finished_at,
            "error_text_id": error_text_id,
            "error_facts": dict(error_facts) if error_facts else None,
            "error_detail": error_detail,
            "unit_deduction": unit_deduction,
            "next_check_at": next_check_at,
        }
        values = {key: value for key, value in given.items() if value is not None}
        with self._database.write() as connection:
            status = _locked_status(connection, generation_id)
            if status is None or status not in expect:
                return None
            if status.is_final or (to is not status and to not in STEPS[status]):
                raise ValueError(f"a generation does not go from {status} to {to}")
            if to is not status:
                cleared = {"error_text_id": None, "error_facts": None, "error_detail": ""}
                values = cleared | values
                if to is not _UNCERTAIN:  # there the POST's moment still matters
                    values["sending_at"] = None
            if to.is_final:
                values |= {"lease_owner": None, "lease_until": None}
                KeyValues.remove_in(connection, answer_key(generation_id))
            self._step(connection, generation_id, to, note, values)
            if settle is not None:
                self._ledger.settle_in(connection, {generation_id: settle})
            return require_generation(connection, generation_id)

    def mark_sending(
        self, generation_id: str, process_id: str, *, note: Note | None = None
    ) -> Generation | None:
        """Write down that the POST goes out now; None when it must not.

        It must not when it was cancelled or moved, when the lease is not ours, and when an earlier
        POST may have been accepted (sending_at is set): then Kling is asked first.
        """
        now = self._clock()
        with self._database.write() as connection:
            marked = connection.execute(
                update(generations)
                .where(
                    generations.c.id == generation_id,
                    generations.c.status == _INTENDED.value,
                    generations.c.sending_at.is_(None),
                    generations.c.lease_owner == process_id,
                )
                .values(
                    sending_at=now,
                    updated_at=now,
                    next_check_at=_not_after(now),
                    attempts=generations.c.attempts + 1,
                )
            )
            if marked.rowcount != 1:
                return None
            record(connection, generation_id, _INTENDED, note, at=self._clock())
            return require_generation(connection, generation_id)

    def suppose_sent(self, at: datetime) -> int:
        """Take what waits to be sent as sent at a moment: Kling is asked before anything goes out.

        For rows of a backup: their studio went on, and paid for what was sent.
        """
        with self._database.write() as connection:
            return connection.execute(
                update(generations)
                .where(generations.c.status == _INTENDED.value, generations.c.sending_at.is_(None))
                .values(sending_at=at)
            ).rowcount

    def unmark_sending(
        self, generation_id: str, *, note: Note, next_check_at: datetime | None = None
    ) -> Generation:
        """Write down that Kling refused for now and has nothing: to be sent again, at once or
        later."""
        with self._database.write() as connection:
            status = _locked_status(connection, generation_id)
            if status is _INTENDED:
                values: dict[str, Any] = {"sending_at": None}
                if next_check_at is not None:
                    values["next_check_at"] = next_check_at
                self._step(connection, generation_id, _INTENDED, note, values)
            return require_generation(connection, generation_id)

    def cancel(self, owner: str, generation_id: str) -> bool:
        """Cancel what has not been sent; False when that is too late."""
        with self._database.write() as connection:
            cancelled = connection.execute(
                update(generations)
                .where(
                    generations.c.id == generation_id,
                    generations.c.owner == owner,
                    generations.c.status == _INTENDED.value,
                    generations.c.sending_at.is_(None),
                )
                .values(
                    status=GenerationStatus.CANCELLED.value,
                    updated_at=self._clock(),
                    lease_owner=None,
                    lease_until=None,
                )
            )
            if cancelled.rowcount != 1:
                return False
            record(connection, generation_id, GenerationStatus.CANCELLED, None, at=self._clock())
            self._ledger.settle_in(connection, {generation_id: lambda _line: None})
            KeyValues.remove_in(connection, answer_key(generation_id))
            return True

    def _find(self, *conditions: ColumnElement[bool]) -> Generation | None:
        with self._database.read() as connection:
            return find_generation(connection, *conditions)

    def _step(
        self,
        connection: Connection,
        generation_id: str,
        to: GenerationStatus,
        note: Note | None,
        values: Mapping[str, Any],
    ) -> None:
        now = self._clock()
        stamps = {"updated_at": now, "next_check_at": _not_after(now)}
        connection.execute(
            update(generations)
            .where(generations.c.id == generation_id)
            .values(**(stamps | dict(values)), status=to.value)
        )
        record(connection, generation_id, to, note, at=self._clock())


def _not_after(now: datetime) -> ColumnElement[Any]:
    """Return when a row that is worked on is due: as planned, and now at the latest.

    A plan from before the clock was set back lies hours ahead. Once the row bears the new time
    nothing else tells that, and whoever lets go of it would leave it lying for as long.
    """
    due = generations.c.next_check_at
    return case((due > now, literal(now, due.type)), else_=due)


def _locked_status(connection: Connection, generation_id: str) -> GenerationStatus | None:
    query = select(generations.c.status).where(generations.c.id == generation_id)
    status = connection.scalar(query.with_for_update())
    return None if status is None else GenerationStatus(status)
