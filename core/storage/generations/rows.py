"""Rows of generations, pictures and slots as values, and the steps a generation may take."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select

from core.errors import InputError
from core.models.generations import (
    Generation,
    GenerationRequest,
    GenerationStatus,
    Note,
    Picture,
)
from core.models.kinds import request_from_json
from core.storage.db.schema import (
    generation_events,
    generation_references,
    generations,
    pictures,
)
from core.storage.generations.notes import written

_S = GenerationStatus

# From where to where. A final state has no way out. UNCERTAIN goes back to INTENDED when Kling is
# known not to have the task; SUCCEEDED can fail when the pictures are gone before we had them.
STEPS: Mapping[GenerationStatus, frozenset[GenerationStatus]] = {
    _S.INTENDED: frozenset(
        {
            _S.UNCERTAIN,
            _S.SUBMITTED,
            _S.PROCESSING,
            _S.SUCCEEDED,
            _S.FAILED,
            _S.REFUSED,
            _S.CANCELLED,
        }
    ),
    _S.UNCERTAIN: frozenset(
        {_S.INTENDED, _S.SUBMITTED, _S.PROCESSING, _S.SUCCEEDED, _S.FAILED, _S.REFUSED}
    ),
    _S.SUBMITTED: frozenset({_S.PROCESSING, _S.SUCCEEDED, _S.FAILED}),
    _S.PROCESSING: frozenset({_S.SUCCEEDED, _S.FAILED}),
    _S.SUCCEEDED: frozenset({_S.ARCHIVED, _S.FAILED}),
    _S.ARCHIVED: frozenset(),
    _S.FAILED: frozenset(),
    _S.REFUSED: frozenset(),
    _S.CANCELLED: frozenset(),
}


class ExpectedStatus(StrEnum):
    """Where one expected picture stands."""

    PENDING = "pending"
    ARCHIVED = "archived"
    FAILED = "failed"  # given up
    DELETED = "deleted"  # by a person, for good: recovery leaves it alone


@dataclass(frozen=True, slots=True)
class ExpectedPicture:
    """One picture a finished task should bring, and how often fetching it failed."""

    generation_id: str
    index: int
    status: ExpectedStatus
    attempts: int
    error_text_id: str | None


_PICTURE = tuple(field.name for field in fields(Picture))
_EXPECTED = tuple(field.name for field in fields(ExpectedPicture))
# The rest is read in its own way.
_AS_STORED = {field.name for field in fields(Generation)} - {
    "external_task_id",
    "request",
    "status",
    "error_facts",
    "pictures",
}


def generation_from(row: Mapping[Any, Any], of_this: Sequence[Picture] = ()) -> Generation:
    """Return the value of a generation's row."""
    return Generation(
        **{name: row[name] for name in _AS_STORED},
        external_task_id=row["external_task_id"] or "",
        request=request_from_json(row["kind"], row["request"]),
        status=GenerationStatus(row["status"]),
        error_facts=row["error_facts"] or {},
        pictures=tuple(of_this),
    )


def request_values(request: GenerationRequest) -> dict[str, Any]:
    """Return a request as a generation's columns."""
    return {
        "kind": request.kind,
        "slots": request.slots,
        "request": asdict(request),
        "prompt": request.prompt,
        "model_name": request.model_name,
        "aspect_ratio": request.aspect_ratio,
        "resolution": request.resolution,
        "n": request.n,
    }


def picture_from(row: Mapping[Any, Any]) -> Picture:
    """Return the value of a picture's row."""
    return Picture(**{name: row[name] for name in _PICTURE})


def expected_from(row: Mapping[Any, Any]) -> ExpectedPicture:
    """Return the value of a slot's row."""
    values = {name: row[name] for name in _EXPECTED}
    return ExpectedPicture(**values | {"status": ExpectedStatus(row["status"])})


def reference_hashes(connection: Connection, generation_id: str) -> tuple[str, ...]:
    """Return the hashes of a generation's reference pictures, in their order."""
    first = select(generations.c.reference_sha256).where(generations.c.id == generation_id)
    others = (
        select(generation_references.c.sha256)
        .where(generation_references.c.generation_id == generation_id)
        .order_by(generation_references.c.place)
    )
    found = (connection.scalar(first), *connection.scalars(others))
    return tuple(sha256 for sha256 in found if sha256 is not None)


def with_pictures(connection: Connection, rows: Sequence[RowMapping]) -> tuple[Generation, ...]:
    """Return the generations of these rows with their pictures, in the rows' order."""
    of_each: dict[str, list[Picture]] = {row["id"]: [] for row in rows}
    query = (
        select(pictures)
        .where(pictures.c.generation_id.in_(list(of_each)), pictures.c.deleted_at.is_(None))
        .order_by(pictures.c.index)
    )
    for row in connection.execute(query).mappings() if rows else ():
        of_each[row["generation_id"]].append(picture_from(row))
    return tuple(generation_from(row, of_each[row["id"]]) for row in rows)


def answer_key(generation_id: str) -> str:
    """Return the key under which the reply to a create is kept while its task is open."""
    return f"answer.{generation_id}"


def find_generation(connection: Connection, *conditions: Any) -> Generation | None:
    """Return the one generation that meets the conditions."""
    query = select(generations).where(*conditions)
    found = with_pictures(connection, connection.execute(query).mappings().all())
    return found[0] if found else None


def require_generation(connection: Connection, generation_id: str) -> Generation:
    """Return the generation, or say that it is not there."""
    generation = find_generation(connection, generations.c.id == generation_id)
    if generation is None:
        raise generation_gone()
    return generation


def generation_gone() -> InputError:
    """Return what to say about a generation that is not there for this person."""
    return InputError("generation_id", "error.generation_gone")


def record(
    connection: Connection,
    generation_id: str,
    status: GenerationStatus,
    note: Note | None,
    *,
    at: datetime,
) -> None:
    """Write one line of a generation's history."""
    connection.execute(
        insert(generation_events).values(
            generation_id=generation_id, at=at, status=status.value, note=written(note)
        )
    )
