"""Kling's replies, written by the studio from what it knows of a task."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from core.errors import AppError
from core.models.generations import UNREADABLE_TEXT_ID, Generation, GenerationStatus
from core.texts.catalogue import Language, text

_NAMESPACE = uuid.UUID("6f2f7d1c-5a0b-4a55-9c0f-0f3d1c1f2b77")

PARAMETERS_CODE = 1201
FAULT_CODE = 5000
BUDGET_CODE = 1102  # Kling's own for a package that is used up
TIMEOUT_CODE = 5002

# Kling's codes for what is refused before it hears of it (kling.md section 8).
_CODES = {401: 1000, 402: BUDGET_CODE, 403: 1103, 404: 1202, 408: 5002, 429: 1302}
_CODES |= {500: FAULT_CODE, 503: 5001, 504: TIMEOUT_CODE}

_WORDS = {
    GenerationStatus.SUBMITTED: "submitted",
    GenerationStatus.PROCESSING: "processing",
    GenerationStatus.FAILED: "failed",
}


class Envelope(Struct):
    """Kling's own envelope; code 0 means success."""

    code: int
    message: str
    request_id: str
    data: Any = UNSET
    error: str | UnsetType = UNSET


def created(generation: Generation) -> Envelope:
    """Return the reply to the create request of a task; the same for every repeat."""
    return _envelope(generation, "create", _task(generation, "submitted", generation.created_at))


def said(generation: Generation, audio: Mapping[str, object]) -> Envelope:
    """Return the reply to a create that Kling answers with the finished task: speech."""
    task = _task(generation, "succeed", generation.updated_at)
    del task["task_info"]  # it has none of ours
    task |= {"task_status_msg": "", "task_result": {"audios": [audio]}}
    if generation.unit_deduction is not None:
        task["final_unit_deduction"] = generation.unit_deduction
    return _envelope(generation, "create", task)


def described(generation: Generation, language: Language) -> Envelope:
    """Return the reply to a look at a task that runs, or that failed."""
    task = _task(generation, _WORDS[generation.status], generation.updated_at)
    is_failed = generation.status is GenerationStatus.FAILED
    task["task_status_msg"] = _failure(generation, language) if is_failed else ""
    request = generation.request
    task["watermark_info"] = {"enabled": getattr(request, "watermark", False)}
    if generation.unit_deduction is not None:
        task["final_unit_deduction"] = generation.unit_deduction
    return _envelope(generation, f"{generation.status}", task)


def _failure(generation: Generation, language: Language) -> str:
    if generation.error_text_id == UNREADABLE_TEXT_ID:
        return text(language, "http.files_unreadable")
    return generation.error_detail


def refused_status(generation: Generation) -> int:
    """Return the HTTP status of Kling's refusal."""
    status = generation.error_facts.get("status_code")
    return status if isinstance(status, int) and status >= 400 else 400


def refused(generation: Generation, language: Language) -> Envelope:
    """Return Kling's refusal of a create request: its code and own words."""
    code = generation.error_facts.get("code")
    text_id = generation.error_text_id or "error.unexpected"
    own = AppError(text_id, facts=generation.error_facts).sentence(language)
    return error(
        code if isinstance(code, int) else PARAMETERS_CODE,
        generation.error_detail or own,
        request_id=_request_id(generation, "refused"),
    )


def refusal(status: int, sentence: str, request_id: str) -> Envelope:
    """Return the reply to a call that went no further, as Kling's clients and others read it."""
    code = _CODES.get(status, PARAMETERS_CODE)
    return Envelope(code, sentence, request_id, error=sentence)


def error(code: int, message: str, *, request_id: str | None = None) -> Envelope:
    """Return a reply that says no, in Kling's shape."""
    return Envelope(code, message, request_id or str(uuid.uuid4()))


def _task(generation: Generation, word: str, updated_at: datetime) -> dict[str, object]:
    return {
        "task_id": generation.task_id,
        "task_status": word,
        "task_info": {"external_task_id": generation.external_task_id},
        "created_at": _milliseconds(generation.submitted_at or generation.created_at),
        "updated_at": _milliseconds(
            max(updated_at, generation.submitted_at or generation.created_at)
        ),
    }


def _envelope(generation: Generation, about: str, data: object) -> Envelope:
    return Envelope(0, "SUCCEED", _request_id(generation, about), data)


def _request_id(generation: Generation, about: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{generation.id}:{about}"))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
