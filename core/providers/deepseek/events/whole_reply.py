"""A whole reply: its body is one answer, or the error; as a stream, this comes in place of one."""

from typing import Any

from core.errors import ProviderError
from core.models.deltas import Delta
from core.providers.deepseek.events.answer_so_far import AnswerSoFar
from core.providers.deepseek.events.decoding import decoded, whole_objects_in
from core.providers.deepseek.events.json_lines import is_piece
from core.providers.deepseek.events.reply_head import BOM
from core.providers.deepseek.reply import has_message


def read_whole(body: bytes, answer: AnswerSoFar) -> list[Delta]:
    """Return what a body adds to an answer, which ends with it."""
    payloads, behind = whole_objects_in(decoded(body.removeprefix(BOM)))
    deltas = answer.lacking() if behind else []
    if not payloads:
        return deltas + answer.fail(answer.unreadable(body))
    if not any(map(has_message, payloads)):
        payloads = payloads[:1]
    for payload in payloads:
        added, error = _read_object(payload, body, answer, is_only=len(payloads) == 1)
        deltas += added
        if error is not None:
            return deltas + answer.fail(error)
    return deltas + (answer.finish() if answer.is_finished else answer.fail(answer.cut_off()))


def _read_object(
    payload: dict[str, Any], body: bytes, answer: AnswerSoFar, *, is_only: bool
) -> tuple[list[Delta], ProviderError | None]:
    """Read an object of a body, its only one or a piece; return also what is wrong with it."""
    error = answer.error_in(payload)
    if has_message(payload) or (error is None and not is_only):
        deltas, inner = answer.add_object(payload)
        answer.is_finished = answer.is_finished or is_only or not is_piece(payload)
        return deltas, inner or error
    return [], error or answer.unreadable(body)
