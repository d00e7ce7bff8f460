"""What Kling's service codes mean: one table from code to error; the HTTP status never decides."""

from collections.abc import Iterable, Mapping

import httpx

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
from core.providers.http.client import json_object, retry_after_s
from core.providers.http.error_table import ErrorRule
from core.providers.http.redaction import clean_detail, clean_excerpt
from core.providers.http.tally import tallied
from core.providers.kling.wire import PROVIDER

NOT_YET_VALID = 1003
EXPIRED = 1004
TASK_MISSING = 1203
FULL_CODE = 1303  # more slots wanted than the account has

_KEY = ErrorRule(AuthenticationError, "error.kling_key")
_CLOCK = ErrorRule(AuthenticationError, "error.kling_clock")
_ACCOUNT = ErrorRule(QuotaExceededError, "error.kling_account")
_ARREARS = ErrorRule(QuotaExceededError, "error.kling_arrears")
_PACKAGE = ErrorRule(QuotaExceededError, "error.kling_package")
_NO_RIGHT = ErrorRule(RejectedError, "error.kling_no_right")
_PARAMETERS = ErrorRule(RejectedError, "error.kling_parameters")
_POLICY = ErrorRule(RejectedError, "error.kling_policy")
_CONTENT = ErrorRule(RejectedError, "error.kling_content")
_ADDRESS_LIST = ErrorRule(RejectedError, "error.kling_address_list")
_TOO_FAST = ErrorRule(RateLimitError, "error.kling_rate")
_SLOTS = ErrorRule(RateLimitError, "error.kling_slots")
_FAULT = ErrorRule(UnavailableError, "error.kling_fault")
_MAINTENANCE = ErrorRule(UnavailableError, "error.kling_maintenance")
_GATEWAY = ErrorRule(UnavailableError, "error.kling_gateway")
_UNCLEAR = ErrorRule(ProtocolError, "error.kling_unclear")
_NO_TASK = ErrorRule(NotFoundError, "error.kling_no_task")

BUSY_TEXT_IDS = frozenset({_TOO_FAST.text_id, _SLOTS.text_id})

# kling.md section 8; a code that is not listed follows its family.
BY_CODE: Mapping[int, ErrorRule] = {
    1000: _KEY,
    1001: _KEY,
    1002: _KEY,
    NOT_YET_VALID: _CLOCK,
    EXPIRED: _CLOCK,
    1100: _ACCOUNT,
    1101: _ARREARS,
    1102: _PACKAGE,
    1103: _NO_RIGHT,
    1200: _PARAMETERS,
    1201: _PARAMETERS,
    1202: _PARAMETERS,
    TASK_MISSING: _PARAMETERS,
    1300: _POLICY,
    1301: _CONTENT,
    1302: _TOO_FAST,
    FULL_CODE: _SLOTS,
    1304: _ADDRESS_LIST,
    5000: _FAULT,
    5001: _MAINTENANCE,
    5002: _FAULT,
}
_BY_FAMILY: Mapping[int, ErrorRule] = {10: _KEY, 12: _PARAMETERS, 13: _POLICY}


@tallied
def error_from_code(
    code: int,
    message: object,
    *,
    reply: httpx.Response,
    host: str,
    secrets: Iterable[str],
    now: float,
    request_id: str | None = None,
    is_lookup: bool = False,
) -> ProviderError:
    """Return the error for a service code; on a lookup a missing resource is a missing task."""
    error_rule = BY_CODE.get(code) or _BY_FAMILY.get(code // 100)
    if is_lookup and code == TASK_MISSING:
        error_rule = _NO_TASK
    if error_rule is None:
        error_rule = _FAULT if 5000 <= code < 6000 else _UNCLEAR
    return error_rule.raised(
        provider=PROVIDER,
        host=host,
        status_code=reply.status_code,
        code=code,
        request_id=request_id,
        detail=clean_detail(message, secrets=secrets),
        wait_s=retry_after_s(reply.headers, now=now),
    )


def error_without_code(
    reply: httpx.Response, *, host: str, secrets: Iterable[str], now: float
) -> ProviderError:
    """Return the error for a reply that is not Kling's envelope: another shape, HTML, nothing.

    A gateway's 401 is as certain as a code; its 404 is not, since it may speak of the path.
    """
    payload = json_object(reply.content)
    if payload is None:
        detail = clean_excerpt(reply.content, secrets=secrets)
    else:
        detail = clean_detail(payload.get("message") or payload.get("error"), secrets=secrets)
    error_rule = _GATEWAY if reply.status_code >= 500 else _UNCLEAR
    if reply.status_code == 401 and payload is not None:
        error_rule = _KEY
    return error_rule.raised(
        provider=PROVIDER,
        host=host,
        status_code=reply.status_code,
        detail=detail,
        wait_s=retry_after_s(reply.headers, now=now),
    )


def wrong_shape(
    what: str, *, reply: httpx.Response, host: str, request_id: str | None = None
) -> ProtocolError:
    """Return the error for an envelope that says ok and lacks `what`."""
    return ProtocolError(
        "error.kling_incomplete",
        provider=PROVIDER,
        status_code=reply.status_code,
        code=0,
        request_id=request_id,
        facts={"host": host, "what": what},
    )


def no_task_id(*, host: str) -> ProtocolError:
    """Return the error for a task whose id cannot be read."""
    what = "a readable task_id"
    return ProtocolError(
        "error.kling_incomplete", provider=PROVIDER, facts={"host": host, "what": what}
    )


def no_such_task(*, host: str) -> NotFoundError:
    """Return the error for an id that cannot be a task's."""
    return NotFoundError(_NO_TASK.text_id, provider=PROVIDER, facts={"host": host})
