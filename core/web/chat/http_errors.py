"""How an answer that did not end well is told over HTTP."""

from dataclasses import replace

from core.errors import AppError
from core.models.chat import AnswerStatus, Message
from core.texts.catalogue import Language, text
from core.web.http_errors import HttpError, http_error_from

_WITHOUT_ERROR = {
    AnswerStatus.STOPPED: "http.answer_stopped",
    AnswerStatus.INTERRUPTED: "http.answer_interrupted",
    AnswerStatus.RUNNING: "http.answer_elsewhere",
}


def http_error_of(message: Message, error: AppError | None, language: Language) -> HttpError | None:
    """Return what went wrong with a final message; None when it is complete."""
    if message.status is AnswerStatus.COMPLETE:
        return None
    if error is not None:
        http_error = http_error_from(error, language)
        is_cut_off = message.status is AnswerStatus.CUT_OFF
        return replace(http_error, pays_again=True) if is_cut_off else http_error
    if message.error_text_id is not None:  # from the store, which keeps no errors
        status = message.error_facts.get("status_code")
        return HttpError(
            AppError(message.error_text_id, facts=message.error_facts).sentence(language),
            upstream_status=status if isinstance(status, int) and status >= 400 else None,
            body=message.error_detail,
        )
    text_id = _WITHOUT_ERROR.get(message.status, "http.answer_incomplete")
    return HttpError(text(language, text_id), pays_again=True)
