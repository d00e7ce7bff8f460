"""Intents: how a generation comes into the store, once however often it is asked for."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, insert, update
from sqlalchemy.exc import IntegrityError

from core.errors import InputError
from core.models.generations import (
    Generation,
    GenerationRequest,
    GenerationStatus,
    KlingTask,
    Note,
    Provider,
    ReferenceImage,
    TaskStatus,
)
from core.models.kinds import request_from_json
from core.models.money.ledger import Reservation
from core.storage.db.blobs import keep_blob
from core.storage.db.database import Database
from core.storage.db.schema import generation_references, generations
from core.storage.generations.rows import (
    find_generation,
    record,
    reference_hashes,
    request_values,
    require_generation,
)
from core.storage.lineage.links import tie
from core.storage.money.ledger import Ledger
from core.wire.masking.secrets import known_secrets

_FOUND_AS = {
    TaskStatus.SUBMITTED: GenerationStatus.SUBMITTED,
    TaskStatus.PROCESSING: GenerationStatus.PROCESSING,
    TaskStatus.SUCCEED: GenerationStatus.SUCCEEDED,
    TaskStatus.FAILED: GenerationStatus.FAILED,
}
_ENDED = (GenerationStatus.SUCCEEDED, GenerationStatus.FAILED)
_Known = tuple[Generation, tuple[str, ...]]  # a row, and the hashes of its references


class Intents:
    """What people asked for, and what was found at Kling without us knowing."""

    def __init__(self, database: Database, clock: Callable[[], datetime], ledger: Ledger) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger

    def create(
        self,
        owner: str,
        request: GenerationRequest,
        *,
        provider: Provider,
        origin: Literal["page", "http", "recovered"] = "page",
        external_task_id: str | None = None,
        idempotency_key: str | None = None,
        references: Sequence[ReferenceImage] = (),
        reservation: Reservation | None = None,
        message_id: str | None = None,
    ) -> Generation:
        """Write the generation down before anything is sent, and hold back what it costs.

        The same owner's same key (or external_task_id) with the same request is the same row:
        it comes back, so repeats cost nothing. One that was taken back before it was
        sent, and is asked for again over HTTP, is to be sent again: nothing was bought under it.
        `message_id` is the message that it is drawn from; InputError where the owner has no such.
        BudgetError, and nothing kept, where there is no room for the `reservation`.
        """
        generation_id = uuid4().hex
        idempotency_key = _stored_key(idempotency_key)
        hashes = tuple(hashlib.sha256(one.content).hexdigest() for one in references)
        keys: list[ColumnElement[bool]] = []
        if idempotency_key is not None:
            keys.append(
                (generations.c.owner == owner) & (generations.c.idempotency_key == idempotency_key)
            )
        if external_task_id is not None:
            keys.append(generations.c.external_task_id == external_task_id)
        with self._database.write() as connection:
            known = self._insert_once(
                connection,
                keys,
                dict(zip(hashes, references, strict=True)),
                id=generation_id,
                owner=owner,
                provider=provider,
                origin=origin,
                external_task_id=external_task_id or f"inkling-{generation_id}",
                idempotency_key=idempotency_key,
                status=GenerationStatus.INTENDED.value,
                reference_sha256=hashes[0] if hashes else None,
                **request_values(request),
            )
            if known is not None:
                same = _same_request(known, owner, request, hashes)
                if origin == "http" and same.status is GenerationStatus.CANCELLED:
                    return self._reopen(connection, same.id, reservation)
                return same
            _keep_order(connection, generation_id, hashes)
            if message_id is not None:
                now = self._clock()
                of = tie(connection, owner, message_id, generation_id, request, now=now)
                if reservation is not None:  # what a conversation cost is its pictures, too
                    line = replace(reservation.line, message_id=message_id, conversation_id=of)
                    reservation.line = line
            self._reserve(connection, generation_id, reservation)
            return require_generation(connection, generation_id)

    def _reserve(
        self, connection: Connection, generation_id: str, reservation: Reservation | None
    ) -> None:
        if reservation is None:
            return
        reservation.line = replace(reservation.line, id=generation_id, generation_id=generation_id)
        refusal = self._ledger.reserve_in(connection, [reservation])[0]
        if refusal is not None:
            raise refusal

    def adopt_task(
        self,
        owner: str,
        task: KlingTask,
        *,
        provider: Provider,
        request: GenerationRequest | None = None,
        error_text_id: str | None = None,
    ) -> Generation | None:
        """Write down a task found at Kling; None when it was known, to whomever it belongs.

        It can never be bought again. Kling tells neither prompt nor model: without a request both
        stay empty.
        """
        now = self._clock()
        status = _FOUND_AS[task.status]
        if request is None:
            told = {"prompt": "", "model_name": "", "n": max(1, len(task.images))}
            request = request_from_json(task.kind, told)
        keys: list[ColumnElement[bool]] = [
            (generations.c.provider == provider) & (generations.c.task_id == task.task_id)
        ]
        if task.external_task_id:
            keys.append(generations.c.external_task_id == task.external_task_id)
        generation_id = uuid4().hex
        with self._database.write() as connection:
            known = self._insert_once(
                connection,
                keys,
                {},
                id=generation_id,
                owner=owner,
                provider=provider,
                origin="recovered",
                external_task_id=task.external_task_id or None,
                task_id=task.task_id,
                status=status.value,
                created_at=task.created_at or now,
                submitted_at=task.created_at,
                finished_at=task.updated_at if status in _ENDED else None,
                error_text_id=error_text_id,
                error_detail=task.status_message,
                unit_deduction=task.unit_deduction,
                **request_values(request),
            )
            if known is not None:
                return None
            return require_generation(connection, generation_id)

    def _reopen(
        self, connection: Connection, generation_id: str, reservation: Reservation | None
    ) -> Generation:
        # What is cancelled is not at Kling: `cancel` takes only what was never sent, or what Kling
        # has said that it does not have.
        now = self._clock()
        reopened = connection.execute(
            update(generations)
            .where(
                generations.c.id == generation_id,
                generations.c.status == GenerationStatus.CANCELLED.value,
            )
            .values(
                status=GenerationStatus.INTENDED.value,
                sending_at=None,
                deleted_at=None,
                updated_at=now,
                next_check_at=now,
            )
        )
        if reopened.rowcount == 1:  # else a repeat in another process was quicker
            self._reserve(connection, generation_id, reservation)
            note = Note("note.asked_again")
            record(connection, generation_id, GenerationStatus.INTENDED, note, at=now)
        return require_generation(connection, generation_id)

    def _insert_once(
        self,
        connection: Connection,
        keys: list[ColumnElement[bool]],
        references: Mapping[str, ReferenceImage],
        **values: Any,
    ) -> _Known | None:
        """Write a row down, or return the one that stands under a key already."""
        if (known := _known(connection, keys)) is not None:
            return known
        for sha256, reference in references.items():
            content, media_type = reference.content, reference.media_type
            keep_blob(connection, sha256, content, media_type, now=self._clock())
        try:
            with connection.begin_nested():
                self._insert(connection, **values)
        except IntegrityError:
            if (known := _known(connection, keys)) is None:
                raise
            return known  # another process was quicker
        return None

    def _insert(self, connection: Connection, **values: Any) -> None:
        now = self._clock()
        defaults = {
            "created_at": now,
            "updated_at": now,
            "next_check_at": now,
            "error_detail": "",
            "attempts": 0,
            "poll_count": 0,
        }
        connection.execute(insert(generations).values(**(defaults | values)))
        record(connection, values["id"], GenerationStatus(values["status"]), None, at=now)


def _keep_order(connection: Connection, generation_id: str, hashes: Sequence[str]) -> None:
    """Write down which pictures stand behind the first."""
    rows = [
        {"generation_id": generation_id, "place": place, "sha256": sha256}
        for place, sha256 in enumerate(hashes)
        if place
    ]
    if rows:
        connection.execute(insert(generation_references), rows)


def _known(connection: Connection, keys: list[ColumnElement[bool]]) -> _Known | None:
    """Return the first generation that one of the keys names, with its references' hashes."""
    for key in keys:
        found = find_generation(connection, key)
        if found is not None:
            return found, reference_hashes(connection, found.id)
    return None


def _stored_key(key: str | None) -> str | None:
    """Return an idempotency key as it is kept: by its digest where it holds a known secret.

    Masked, as all that is stored, two different keys could become the same.
    """
    if key is None or not known_secrets.is_in(key):
        return key
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def _same_request(
    known: _Known, owner: str, request: GenerationRequest, hashes: tuple[str, ...]
) -> Generation:
    generation, known_hashes = known
    washed = {  # as its row has it
        name: known_secrets.wash(value) if isinstance(value, str) else value
        for name, value in asdict(request).items()
    }
    request = request_from_json(request.kind, washed)
    if generation.owner == owner and (generation.request, known_hashes) == (request, hashes):
        return generation
    raise InputError("idempotency_key", "error.idempotency_conflict")
