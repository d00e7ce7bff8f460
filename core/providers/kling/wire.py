"""Kling's JSON and our values: create bodies out, tasks and resource packs in.

Numbers and digits in quotes are both taken where the reference has seen both; ids are never
parsed. What is missing though a caller needs it makes a reader return None.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.models.generations import (
    GenerationRequest,
    KlingTask,
    ReferenceImage,
    TaskImage,
    TaskStatus,
)
from core.providers.http.redaction import OTHER, clean_detail, opaque_id
from core.providers.kling.endpoints import ENDPOINTS
from core.wire.secrets import known_secrets

PROVIDER = "kling"

_NAME_MOST = 200
_NUMBER_MOST = 10**40
_AMOUNT = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?")

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
    request: GenerationRequest, *, external_task_id: str, reference: ReferenceImage | None
) -> bytes:
    """Return the JSON body that creates a task under our own id for it."""
    body = ENDPOINTS[request.kind].body(request, reference)
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
    task_id, status = _id(data.get("task_id")), data.get("task_status")
    if task_id is None and is_listed:
        task_id = ""
    if task_id is None or not isinstance(status, str):
        return None
    return KlingTask(
        task_id=task_id,
        # An unknown word is a task that goes on: nothing paid for is given up for a new word.
        status=_STATUSES.get(status, TaskStatus.PROCESSING),
        status_message=clean_detail(data.get("task_status_msg")),
        external_task_id=_external_id(_mapping(data.get("task_info")).get("external_task_id")),
        created_at=utc_from_ms(data.get("created_at")),
        updated_at=utc_from_ms(data.get("updated_at")),
        images=_images(_mapping(data.get("task_result")).get(ENDPOINTS[kind].results)),
        unit_deduction=_amount(data.get("final_unit_deduction")),
        request_id=opaque_id(request_id),
        kind=kind,
    )


def costs_from_json(data: Any) -> AccountCosts | None:
    """Return the account's packages, or None when `data` does not list any."""
    entries = _mapping(data).get("resource_pack_subscribe_infos")
    if not isinstance(entries, list):
        return None
    return AccountCosts(
        tuple(
            ResourcePack(
                id=_id(entry.get("resource_pack_id")) or "",
                name=_short_word(entry.get("resource_pack_name")),
                type=_short_word(entry.get("resource_pack_type")),
                status=_short_word(entry.get("status")),
                total=_number(entry.get("total_quantity")),
                remaining=_number(entry.get("remaining_quantity")),
                purchased_at=utc_from_ms(entry.get("purchase_time")),
                effective_at=utc_from_ms(entry.get("effective_time")),
                invalid_at=utc_from_ms(entry.get("invalid_time")),
            )
            for entry in entries
            if isinstance(entry, dict)
        )
    )


def code_from_json(value: Any) -> int | None:
    """Return a service code, given as number or digits; None when it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) else None


def utc_from_ms(value: Any) -> datetime | None:
    """Return a moment given in Unix milliseconds, as number or digits; None when it is neither."""
    number = _number(value)
    if not number:
        return None
    try:
        return datetime.fromtimestamp(number / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _images(entries: Any) -> tuple[TaskImage, ...]:
    if not isinstance(entries, list):
        return ()
    images: list[TaskImage] = []
    for position, entry in enumerate(entries):
        url = _word(_mapping(entry).get("url"))
        if url:
            index = code_from_json(entry.get("index"))
            images.append(
                TaskImage(
                    index=position if index is None else index,
                    url=url,
                    watermark_url=_word(entry.get("watermark_url")) or None,
                )
            )
    return tuple(sorted(images, key=lambda image: image.index))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _id(value: Any) -> str | None:
    """Return an opaque id; digits without quotes are still only a name."""
    if isinstance(value, int) and not isinstance(value, bool):
        return opaque_id(str(value)) if abs(value) < _NUMBER_MOST else None
    return opaque_id(value)


def _external_id(value: Any) -> str | None:
    # A caller's own word, of any letters: what does not come back as it was sent is bought again.
    return known_secrets.wash(value) if isinstance(value, str) and value else None


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _short_word(value: Any) -> str:
    return clean_detail(value, limit=_NAME_MOST)


def _amount(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or value == "":
        return None
    if isinstance(value, int):
        return str(value) if abs(value) < _NUMBER_MOST else OTHER
    return str(value) if _AMOUNT.fullmatch(str(value)) else OTHER


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
