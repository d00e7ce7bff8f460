"""Picture slots: what a finished task should bring, and which of it has arrived."""

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, insert, select, update

from core.models.generations import GenerationStatus, Note, Picture
from core.storage.db.database import Database
from core.storage.db.schema import generations, picture_slots, pictures
from core.storage.generations.rows import (
    ExpectedPicture,
    ExpectedStatus,
    expected_from,
    generation_gone,
    picture_from,
    record,
)


class ExpectedPictures:
    """The expected pictures of each generation."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def expect(self, generation_id: str, count: int) -> None:
        """Write down that pictures 0 to count - 1 are to be fetched; repeats change nothing."""
        with self._database.write() as connection:
            _lock(connection, generation_id)
            known = {expected.index for expected in _expected(connection, generation_id)}
            for index in range(count):
                if index not in known:
                    self._insert_expected(connection, generation_id, index)

    def of(self, generation_id: str) -> tuple[ExpectedPicture, ...]:
        """Return the generation's slots in order."""
        with self._database.read() as connection:
            return _expected(connection, generation_id)

    def add(
        self,
        generation_id: str,
        index: int,
        *,
        name: str,
        media_type: str,
        width: int,
        height: int,
        size_bytes: int,
        sha256: str,
    ) -> Picture:
        """Write down that a picture is in the archive; the same one again changes its facts only.

        It carries the generation's moment, so that a picture that was fetched late, or found again
        after a loss, stands where it belongs.
        """
        facts: dict[str, object] = {
            "name": name,
            "media_type": media_type,
            "width": width,
            "height": height,
            "size_bytes": size_bytes,
            "sha256": sha256,
        }
        this = (pictures.c.generation_id == generation_id) & (pictures.c.index == index)
        with self._database.write() as connection:
            generation = _lock(connection, generation_id)
            changed = connection.execute(update(pictures).where(this).values(**facts))
            if changed.rowcount == 0:
                connection.execute(
                    insert(pictures).values(
                        id=uuid4().hex,
                        generation_id=generation_id,
                        index=index,
                        owner=generation["owner"],
                        created_at=generation["created_at"],
                        favourite=False,
                        **facts,
                    )
                )
            self._set_expected(
                connection, generation_id, index, status=ExpectedStatus.ARCHIVED, error_text_id=None
            )
            row = connection.execute(select(pictures).where(this)).mappings().one()
            return picture_from(row)

    def fail(
        self, generation_id: str, index: int, *, error_text_id: str, give_up: bool = False
    ) -> ExpectedPicture:
        """Count a failed attempt to fetch a picture; giving up is said, never assumed."""
        with self._database.write() as connection:
            _lock(connection, generation_id)
            self._set_expected(
                connection,
                generation_id,
                index,
                status=ExpectedStatus.FAILED if give_up else ExpectedStatus.PENDING,
                error_text_id=error_text_id,
                attempts=picture_slots.c.attempts + 1,
            )
            return next(
                expected
                for expected in _expected(connection, generation_id)
                if expected.index == index
            )

    def fetch_again(self, owner: str, generation_id: str, *, if_ended_as: str) -> bool:
        """Have the pictures that were given up fetched again; False when none were, so."""
        now = self._clock()
        with self._database.write() as connection:
            again = connection.execute(
                update(generations)
                .where(
                    generations.c.id == generation_id,
                    generations.c.owner == owner,
                    generations.c.error_text_id == if_ended_as,
                    generations.c.status.in_(("failed", "archived")),
                )
                .values(
                    status=GenerationStatus.SUCCEEDED.value,
                    error_text_id=None,
                    error_facts=None,
                    error_detail="",
                    updated_at=now,
                    next_check_at=now,
                )
            )
            if again.rowcount != 1:
                return False
            connection.execute(
                update(picture_slots)
                .where(
                    picture_slots.c.generation_id == generation_id,
                    picture_slots.c.status == ExpectedStatus.FAILED.value,
                )
                .values(status=ExpectedStatus.PENDING.value, error_text_id=None, updated_at=now)
            )
            note = Note("note.fetched_again")
            record(connection, generation_id, GenerationStatus.SUCCEEDED, note, at=now)
            return True

    def _set_expected(
        self, connection: Connection, generation_id: str, index: int, **values: object
    ) -> None:
        if all(expected.index != index for expected in _expected(connection, generation_id)):
            self._insert_expected(connection, generation_id, index)
        connection.execute(
            update(picture_slots)
            .where(picture_slots.c.generation_id == generation_id, picture_slots.c.index == index)
            .values(**values, updated_at=self._clock())
        )

    def _insert_expected(self, connection: Connection, generation_id: str, index: int) -> None:
        connection.execute(
            insert(picture_slots).values(
                generation_id=generation_id,
                index=index,
                status=ExpectedStatus.PENDING.value,
                attempts=0,
                updated_at=self._clock(),
            )
        )


def _expected(connection: Connection, generation_id: str) -> tuple[ExpectedPicture, ...]:
    query = (
        select(picture_slots)
        .where(picture_slots.c.generation_id == generation_id)
        .order_by(picture_slots.c.index)
    )
    return tuple(expected_from(row) for row in connection.execute(query).mappings())


def _lock(connection: Connection, generation_id: str) -> RowMapping:
    query = select(generations).where(generations.c.id == generation_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise generation_gone()
    return row
