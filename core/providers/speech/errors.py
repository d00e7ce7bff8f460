"""What a speech server's refusal means, by its status."""

from collections.abc import Iterable

import httpx

from core.errors import (
    AuthenticationError,
    ProtocolError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    RejectedError,
    UnavailableError,
)
from core.providers.http.client import json_object, retry_after_s
from core.providers.http.error_table import ErrorRule
from core.providers.http.redaction import clean_detail, clean_excerpt, opaque_id

PROVIDER = "speech"

_KEY = ErrorRule(AuthenticationError, "error.speech_key")
_QUOTA = ErrorRule(QuotaExceededError, "error.speech_quota")
_ADDRESS = ErrorRule(RejectedError, "error.speech_address")
_REJECTED = ErrorRule(RejectedError, "error.speech_rejected")
_RATE = ErrorRule(RateLimitError, "error.speech_rate")
_FAULT = ErrorRule(UnavailableError, "error.speech_fault")
_NO_SOUND = ErrorRule(ProtocolError, "error.speech_no_sound")
_NO_TEXT = ErrorRule(ProtocolError, "error.speech_no_text")

_BY_STATUS = {401: _KEY, 402: _QUOTA, 403: _KEY, 404: _ADDRESS, 405: _ADDRESS, 429: _RATE}


def status_error(
    reply: httpx.Response, body: bytes, *, host: str, secrets: Iterable[str], now: float
) -> ProviderError:
    """Return the error for a reply whose status is none of success."""
    payload = json_object(body)
    error = payload.get("error") if payload else None
    said = error.get("message") if isinstance(error, dict) else error
    if payload is None:
        detail = clean_excerpt(body, secrets=secrets)
    else:
        said = said or payload.get("message") or payload.get("detail")
        detail = clean_detail(said, secrets=secrets)
    rule = _BY_STATUS.get(reply.status_code)
    if rule is None:
        rule = _FAULT if reply.status_code >= 500 else _REJECTED
    return rule.raised(
        provider=PROVIDER,
        host=host,
        status_code=reply.status_code,
        request_id=opaque_id(reply.headers.get("x-request-id")),
        detail=detail,
        wait_s=retry_after_s(reply.headers, now=now),
    )


def said_error(
    host: str, code: str | None, message: object, secrets: Iterable[str]
) -> ProviderError:
    """Return the error that a voice over a WebSocket told of in an event."""
    rule = _FAULT if code and "internal" in code.lower() else _REJECTED
    detail = clean_detail(message, secrets=secrets)
    return rule.raised(provider=PROVIDER, host=host, status_code=200, code=code, detail=detail)


def refused_connection(host: str, status: int) -> ProviderError:
    """Return the error of a WebSocket that was refused with a status."""
    rule = _BY_STATUS.get(status) or (_FAULT if status >= 500 else _REJECTED)
    return rule.raised(provider=PROVIDER, host=host, status_code=status)


def broken_off(host: str) -> ProviderError:
    """Return the error of speech that ended in the middle: what was heard is kept, and paid for."""
    return UnavailableError("error.speech_broken_off", provider=PROVIDER, facts={"host": host})


def no_sound(host: str, status_code: int, detail: str = "") -> ProviderError:
    """Return the error of a reply that is no sound, or none that can be read."""
    return _NO_SOUND.raised(
        provider=PROVIDER, host=host, status_code=status_code, detail=clean_detail(detail)
    )


def no_text(host: str, status_code: int) -> ProviderError:
    """Return the error of a reply that holds no transcript."""
    return _NO_TEXT.raised(provider=PROVIDER, host=host, status_code=status_code)
