"""How an answer that did not end well is told over HTTP."""

from dataclasses import dataclass

from core.errors import (
    AppError,
    BusyError,
    InputError,
    ProtocolError,
    ProviderError,
    RateLimitError,
    StoreError,
    UnavailableError,
)
from core.models import AnswerStatus, Message

_WITHOUT_ERROR = {
    AnswerStatus.STOPPED: "The answer was stopped before its end.",
    AnswerStatus.INTERRUPTED: "The studio was closed before the answer was complete; ask again.",
    AnswerStatus.RUNNING: "The answer is being written elsewhere; look at it in the studio.",
}
# The error's own sentence names a place on this machine: the pages and the log tell it.
STORE_SENTENCE = "The store cannot be written just now; the studio's pages and its log say why."
_NOT_JSON = ("error.chat_unreadable", "error.chat_web_page")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no whole answer; `upstream_status` is the provider's own."""

    sentence: str
    upstream_status: int | None = None
    body: str = ""  # the beginning of what the provider sent
    detail: str = ""  # its explanation alone
    is_not_json: bool = False
    status: int = 500  # for callers who learn it before anything was sent
    retry_after_s: float | None = None
    kind: str = "server_error"
    code: str | None = None


def fault_of(message: Message, error: AppError | None) -> Fault | None:
    """Return what went wrong with a final message; None when it is complete."""
    if message.status is AnswerStatus.COMPLETE:
        return None
    if error is not None:
        return fault_from(error)
    if message.error_text_id is not None:  # from the store, which keeps no sentences
        status = message.error_facts.get("status_code")
        return Fault(
            f"The answer failed ({message.error_text_id}).",
            upstream_status=status if isinstance(status, int) and status >= 400 else None,
            body=message.error_detail,
        )
    return Fault(_WITHOUT_ERROR.get(message.status, "The answer is not complete."))


def fault_from(error: AppError) -> Fault:
    """Return an error as it is told over HTTP."""
    if isinstance(error, ProviderError):
        upstream = error.status_code
        upstream = upstream if upstream is not None and upstream >= 400 else None
        return Fault(
            str(error),
            upstream_status=upstream,
            body=error.body or error.detail,
            detail=error.detail,
            is_not_json=isinstance(error, ProtocolError) and error.text_id in _NOT_JSON,
            status=upstream or (504 if isinstance(error, UnavailableError) else 502),
            retry_after_s=error.retry_after_s if isinstance(error, RateLimitError) else None,
            kind=_kind(upstream),
            code=None if error.code is None else str(error.code),
        )
    if isinstance(error, InputError):
        return Fault(str(error), status=400, kind="invalid_request_error")
    if isinstance(error, BusyError):
        return Fault(str(error), status=409, kind="invalid_request_error")
    if isinstance(error, StoreError):
        return Fault(STORE_SENTENCE, status=503)
    return Fault(str(error), status=500)


def _kind(upstream: int | None) -> str:
    if upstream == 401:
        return "authentication_error"
    if upstream == 429:
        return "rate_limit_error"
    return "invalid_request_error" if upstream is not None and upstream < 500 else "server_error"
