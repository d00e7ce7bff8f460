"""How an answer that did not end well is told over HTTP."""

from dataclasses import replace

from core.errors import AppError
from core.models.chat import AnswerStatus, Message
from core.web.http_errors import HttpError, http_error_from

_WITHOUT_ERROR = {
    AnswerStatus.STOPPED: "The answer was stopped before its end.",
    AnswerStatus.INTERRUPTED: "The studio was closed before the answer was complete; ask again.",
    AnswerStatus.RUNNING: "The answer is being written elsewhere; look at it in the studio.",
}


def http_error_of(message: Message, error: AppError | None) -> HttpError | None:
    """Return what went wrong with a final message; None when it is complete."""
    if message.status is AnswerStatus.COMPLETE:
        return None
    if error is not None:
        http_error = http_error_from(error)
        is_cut_off = message.status is AnswerStatus.CUT_OFF
        return replace(http_error, pays_again=True) if is_cut_off else http_error
    if message.error_text_id is not None:  # from the store, which keeps no sentences
        status = message.error_facts.get("status_code")
        return HttpError(
            f"The answer failed ({message.error_text_id}).",
            upstream_status=status if isinstance(status, int) and status >= 400 else None,
            body=message.error_detail,
        )
    sentence = _WITHOUT_ERROR.get(message.status, "The answer is not complete.")
    return HttpError(sentence, pays_again=True)
