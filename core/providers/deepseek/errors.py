"""What a chat server's refusal means: one table from status to error, and the cases within 400."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.errors import (
    AuthenticationError,
    NotFoundError,
    ProtocolError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    RejectedError,
    UnavailableError,
)
from core.providers.deepseek.error_shapes import read_error, says_error
from core.providers.deepseek.wire import CURRENT_MODELS, PROVIDER
from core.providers.http.client import json_object, retry_after_s
from core.providers.http.error_table import ErrorRule
from core.providers.http.redaction import clean_detail, clean_excerpt, looks_like_html
from core.providers.http.tally import tallied

TRACE_HEADERS = ("x-ds-trace-id", "x-request-id", "x-deepseek-request-id")

_KEY = ErrorRule(AuthenticationError, "error.deepseek_key")
_BALANCE = ErrorRule(QuotaExceededError, "error.deepseek_balance")
_NOT_ALLOWED = ErrorRule(RejectedError, "error.deepseek_not_allowed")
_ADDRESS = ErrorRule(RejectedError, "error.chat_address")
_REJECTED = ErrorRule(RejectedError, "error.chat_rejected")
_TOO_LONG = ErrorRule(RejectedError, "error.context_too_long")
_TOO_MANY = ErrorRule(RateLimitError, "error.deepseek_rate")
_FAULT = ErrorRule(UnavailableError, "error.chat_fault")
_OVERLOADED = ErrorRule(UnavailableError, "error.chat_overloaded")
_GATEWAY = ErrorRule(UnavailableError, "error.chat_gateway")
_BROKEN_OFF = ErrorRule(UnavailableError, "error.chat_broken_off")
_MODEL = ErrorRule(RejectedError, "error.chat_model_unknown")
_REASONING = ErrorRule(RejectedError, "error.reasoning_required")
_MODERATED = ErrorRule(RejectedError, "error.chat_moderated")

# deepseek.md section 5; a status that is not listed follows its hundred.
BY_STATUS: Mapping[int, ErrorRule] = {
    400: _REJECTED,
    401: _KEY,
    402: _BALANCE,
    403: _NOT_ALLOWED,
    404: _ADDRESS,
    405: _ADDRESS,
    408: _GATEWAY,
    413: _TOO_LONG,
    422: _REJECTED,
    429: _TOO_MANY,
    500: _FAULT,
    502: _GATEWAY,
    503: _OVERLOADED,
    504: _GATEWAY,
}

# Within 400, 404, 422 and 429 the words tell more than the status: DeepSeek's, OpenAI's,
# llama.cpp's, Ollama's and LiteLLM's wordings. The first that is found decides.
BY_WORDS: tuple[tuple[ErrorRule, re.Pattern[str]], ...] = tuple(
    (error_rule, re.compile(pattern, re.IGNORECASE))
    for error_rule, pattern in (
        # LiteLLM wraps DeepSeek's 402 as a bad request; OpenAI says 429 for it.
        (_BALANCE, r"insufficient[ _](balance|quota|credits?)"),
        (_REASONING, r"reasoning_content"),
        (
            _TOO_LONG,
            r"context[ _]length|context[ _](window|size)|prompt is too long|too many tokens",
        ),
        (_MODERATED, r"content exists risk|content_(policy_violation|filter)"),
        (
            _MODEL,
            r"model_not_found|supported (api )?model|(invalid|unknown) model"
            r"|\bmodel\b.{0,100}\bnot (found|exist)",
        ),
    )
)
_CLUED_STATUSES = frozenset({400, 404, 422, 429})

# In the middle of a stream the status is 200; then the error object's own words stand for one.
STATUS_OF_TYPE: Mapping[str, int] = {
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "authentication_error": 401,
    "insufficient_quota": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "internal_error": 500,
    "api_error": 500,
    "overloaded_error": 503,
    "service_unavailable_error": 503,
    "unavailable_error": 503,
}


@tallied
def error_from_reply(
    status_code: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    host: str,
    secrets: Iterable[str],
    now: float,
) -> ProviderError:
    """Return the error for a reply whose status is not 200."""
    code, payload = None, json_object(body)
    if payload is None:
        is_gateway = status_code >= 500 and looks_like_html(body)
        error_rule = _GATEWAY if is_gateway else _by_status(status_code)
        detail = clean_excerpt(body, secrets=secrets)
    else:
        message, code, _ = read_error(payload)
        error_rule = _by_words(status_code, f"{message} {code}") or _by_status(status_code)
        detail = clean_detail(message, secrets=secrets)
    error = error_rule.raised(
        provider=PROVIDER,
        host=host,
        status_code=status_code,
        code=code,
        request_id=next((headers[name] for name in TRACE_HEADERS if headers.get(name)), None),
        detail=detail,
        wait_s=retry_after_s(headers, now=now),
    )
    error.may_repeat = headers.get("x-should-retry", "").strip().lower() != "false"
    return error


@tallied
def error_in_stream(
    payload: dict[str, Any], *, host: str, secrets: Iterable[str]
) -> ProviderError | None:
    """Return the error an event with status 200 holds, or None when it holds none."""
    if not says_error(payload):
        return None
    message, code, kind = read_error(payload)
    status_code = STATUS_OF_TYPE.get(str(code).lower()) or STATUS_OF_TYPE.get(kind.lower())
    if str(code).isdecimal() and 400 <= int(str(code)[:9]) <= 599:
        status_code = int(str(code))
    error_rule = _by_words(status_code or 400, f"{message} {code} {kind}")
    if error_rule is None:
        error_rule = _BROKEN_OFF if status_code is None else _by_status(status_code)
    return error_rule.raised(
        provider=PROVIDER,
        host=host,
        status_code=status_code or 200,
        code=code,
        detail=clean_detail(message, secrets=secrets),
    )


def not_offered(error: ProviderError, text_id: str) -> ProviderError:
    """Return the error for a server that simply lacks one of the side endpoints."""
    return NotFoundError(
        text_id,
        provider=PROVIDER,
        status_code=error.status_code,
        facts=error.facts,
        detail=error.detail,
    )


def retired_model(model: str, *, host: str) -> RejectedError:
    """Return the error for a name that DeepSeek switched off in July 2026."""
    offered = ", ".join(CURRENT_MODELS)
    return RejectedError(
        "error.retired_model",
        provider=PROVIDER,
        facts={"host": host, "model": model, "offered": offered},
    )


@tallied
def unreadable(
    body: bytes, *, host: str, secrets: Iterable[str], status_code: int = 200
) -> ProtocolError:
    """Return the error for a reply that is neither JSON nor an event stream."""
    return ProtocolError(
        "error.chat_web_page" if looks_like_html(body) else "error.chat_unreadable",
        provider=PROVIDER,
        status_code=status_code,
        facts={"host": host},
        detail=clean_excerpt(body, secrets=secrets),
    )


@tallied
def cut_off(host: str) -> UnavailableError:
    """Return the error for an answer that ended without saying that it had."""
    return UnavailableError("error.cut_off", provider=PROVIDER, facts={"host": host})


def _by_status(status_code: int) -> ErrorRule:
    if (error_rule := BY_STATUS.get(status_code)) is not None:
        return error_rule
    if status_code >= 500:
        return _GATEWAY if status_code >= 520 else _FAULT
    return _REJECTED if status_code >= 400 else _ADDRESS


def _by_words(status_code: int, words: str) -> ErrorRule | None:
    if status_code not in _CLUED_STATUSES:
        return None
    return next((error_rule for error_rule, clue in BY_WORDS if clue.search(words)), None)
