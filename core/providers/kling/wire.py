"""Kling's JSON and our values: create bodies out, tasks and resource packs in.

Numbers and digits in quotes are both taken where the reference has seen both; ids are never
parsed. What is missing though a caller needs it makes a reader return None.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.models.generations import (
    GenerationRequest,
    KlingTask,
    ReferenceImage,
    TaskImage,
    TaskStatus,
)
from core.providers.http.redaction import clean_detail, opaque_id
from core.providers.kling.billing import charges_from_json
from core.providers.kling.endpoints import ENDPOINTS
from core.providers.kling.fields import (
    amount_text,
    code_from_json,
    identifier,
    mapping,
    number,
    short_word,
    utc_from_ms,
    word,
)
from core.wire.masking.secrets import known_secrets

PROVIDER = "kling"

# The word of Kling's newer endpoints, should it ever appear here.
_STATUSES = {status.value: status for status in TaskStatus} | {"succeeded": TaskStatus.SUCCEED}


@dataclass(frozen=True, slots=True)
class ResourcePack:
    """One bought package; `remaining` lags up to twelve hours behind."""

    id: str
    name: str
    type: str
    status: str
    total: float | None = None
    remaining: float | None = None
    purchased_at: datetime | None = None
    effective_at: datetime | None = None
    invalid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountCosts:
    """The account's resource packages."""

    packs: tuple[ResourcePack, ...] = ()


def create_body(
    request: GenerationRequest, *, external_task_id: str, references: Sequence[ReferenceImage] = ()
) -> bytes:
    """Return the JSON body that creates a task under our own id for it."""
    body = ENDPOINTS[request.kind].body(request, references)
    if ENDPOINTS[request.kind].takes_own_id:
        body["external_task_id"] = external_task_id
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def task_from_json(
    data: Any, kind: str, *, request_id: str | None = None, is_listed: bool = False
) -> KlingTask | None:
    """Return a task of that kind, or None when `data` holds no task id and status.

    In a list a task whose id cannot be read keeps its place, with an empty id: pages are counted,
    and our own id in it may still be the one that is searched for.
    """
    if not isinstance(data, dict):
        return None
    task_id, status = identifier(data.get("task_id")), data.get("task_status")
    if task_id is None and is_listed:
        task_id = ""
    if task_id is None or not isinstance(status, str):
        return None
    return KlingTask(
        task_id=task_id,
        # An unknown word is a task that goes on: nothing paid for is given up for a new word.
        status=_STATUSES.get(status, TaskStatus.PROCESSING),
        status_message=clean_detail(data.get("task_status_msg")),
        external_task_id=_external_id(mapping(data.get("task_info")).get("external_task_id")),
        created_at=utc_from_ms(data.get("created_at")),
        updated_at=utc_from_ms(data.get("updated_at")),
        images=_images(mapping(data.get("task_result")), ENDPOINTS[kind].results),
        unit_deduction=amount_text(data.get("final_unit_deduction")),
        charges=charges_from_json(data),
        request_id=opaque_id(request_id),
        kind=kind,
    )


def costs_from_json(data: Any) -> AccountCosts | None:
    """Return the account's packages, or None when `data` does not list any."""
    entries = mapping(data).get("resource_pack_subscribe_infos")
    if not isinstance(entries, list):
        return None
    return AccountCosts(
        tuple(
            ResourcePack(
                id=identifier(entry.get("resource_pack_id")) or "",
                name=short_word(entry.get("resource_pack_name")),
                type=short_word(entry.get("resource_pack_type")),
                status=short_word(entry.get("status")),
                total=number(entry.get("total_quantity")),
                remaining=number(entry.get("remaining_quantity")),
                purchased_at=utc_from_ms(entry.get("purchase_time")),
                effective_at=utc_from_ms(entry.get("effective_time")),
                invalid_at=utc_from_ms(entry.get("invalid_time")),
            )
            for entry in entries
            if isinstance(entry, dict)
        )
    )


def _images(result: Mapping[str, Any], lists: Sequence[str]) -> tuple[TaskImage, ...]:
    """Return the files of a result; a list behind another goes on with its numbers."""
    images: list[TaskImage] = []
    for name in lists:
        entries = result.get(name)
        found = _listed(entries) if isinstance(entries, list) else ()
        behind = len(images)
        images += [replace(image, index=image.index + behind) for image in found]
    return tuple(images)


def _listed(entries: Sequence[Any]) -> tuple[TaskImage, ...]:
    images: list[TaskImage] = []
    for position, entry in enumerate(entries):
        url = word(mapping(entry).get("url"))
        if url:
            index = code_from_json(entry.get("index"))
            images.append(
                TaskImage(
                    index=position if index is None else index,
                    url=url,
                    watermark_url=word(entry.get("watermark_url")) or None,
                )
            )
    return tuple(sorted(images, key=lambda image: image.index))


def _external_id(value: Any) -> str | None:
    # A caller's own word, of any letters: what does not come back as it was sent is bought again.
    return known_secrets.wash(value) if isinstance(value, str) and value else None
