"""How an error is told over HTTP."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from msgspec import UNSET, UnsetType

from core.errors import (
    AppError,
    BusyError,
    InputError,
    ProtocolError,
    ProviderError,
    StoreError,
    UnavailableError,
    may_be_billed,
)
from core.models.money.ledger import BudgetError
from core.texts.catalogue import Language, text
from core.web.chat.notices import Noticed
from core.web.http_call import PAYS_AGAIN

# A store error's own sentence names a place on this machine: the pages and the log tell it.
STORE_TEXT_ID = "http.store"
RETRY_AFTER_MOST_S = 86_400
BUDGET_CODE = "budget_exceeded"
MODEL_CODE = "model_not_found"  # OpenAI's own
_OF_MODEL = ("error.retired_model", "error.chat_model_unknown")
_NOT_JSON = ("error.chat_unreadable", "error.chat_web_page")


class ErrorReply(Noticed):
    """What went wrong; `body` is the beginning of what the provider sent."""

    error: str
    body: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    retry_after: int | UnsetType = UNSET
    request_id: str | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class HttpError:
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
    param: str | None = None  # the field that is at fault
    pays_again: bool = False  # the provider may have answered, and billed it: so may a repeat

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What tells a client when to come again, or not to by itself."""
        headers: list[tuple[str, str]] = []
        if self.wait_s is not None:
            headers.append(("Retry-After", str(self.wait_s)))
        if self.pays_again:
            headers.append(PAYS_AGAIN)
        return tuple(headers)

    @property
    def wait_s(self) -> int | None:
        """The provider's Retry-After in whole seconds, within reason."""
        if self.retry_after_s is None:
            return None
        whole = max(1, math.ceil(self.retry_after_s))
        # When a month's budget ends is our own word, and true.
        return whole if self.code == BUDGET_CODE else min(whole, RETRY_AFTER_MOST_S)


def http_error_from(error: AppError, language: Language) -> HttpError:
    """Return an error as it is told over HTTP."""
    told = _http_error(error, language)
    return replace(told, pays_again=True) if error.pays_again else told


def _http_error(error: AppError, language: Language) -> HttpError:
    if isinstance(error, ProviderError):
        upstream = error.status_code
        upstream = upstream if upstream is not None and upstream >= 400 else None
        is_model = error.text_id in _OF_MODEL
        status = upstream or (504 if isinstance(error, UnavailableError) else 502)
        return HttpError(
            _with_wait(error, language),
            upstream_status=upstream,
            body=error.body or error.detail,
            detail=error.detail,
            is_not_json=isinstance(error, ProtocolError) and error.text_id in _NOT_JSON,
            status=400 if is_model and upstream is None else status,
            retry_after_s=error.retry_after_s,
            pays_again=not error.may_repeat or may_be_billed(error),
            kind="invalid_request_error" if is_model else _kind(upstream),
            code=_code(error, is_model=is_model),
            param="model" if is_model else None,
        )
    if isinstance(error, InputError | BusyError):
        status = 400 if isinstance(error, InputError) else 409
        return HttpError(error.sentence(language), status=status, kind="invalid_request_error")
    if isinstance(error, BudgetError):
        return HttpError(
            error.sentence(language),
            status=402,
            retry_after_s=error.wait_s(datetime.now(UTC)),
            kind="insufficient_quota",
            code=BUDGET_CODE,
        )
    if isinstance(error, StoreError):
        return HttpError(text(language, STORE_TEXT_ID), status=503)
    return HttpError(error.sentence(language), status=500)


def _code(error: ProviderError, *, is_model: bool) -> str | None:
    code = None if error.code is None else str(error.code)
    return MODEL_CODE if is_model and code in (None, "invalid_request_error") else code


def _with_wait(error: ProviderError, language: Language) -> str:
    sentence = error.sentence(language)
    if error.retry_after_s is None:
        return sentence
    asked = text(language, "http.asks_to_wait", seconds=math.ceil(error.retry_after_s))
    return f"{sentence} {asked}"


def _kind(upstream: int | None) -> str:
    if upstream == 401:
        return "authentication_error"
    if upstream == 429:
        return "rate_limit_error"
    return "invalid_request_error" if upstream is not None and upstream < 500 else "server_error"
