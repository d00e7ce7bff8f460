"""The only place that builds an HTTP client, and the one that names what went wrong below HTTP."""

import json
import logging
import math
import os
from collections.abc import Coroutine, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec

from core.errors import UnavailableError
from core.providers.http.exchanges import observed
from core.providers.http.routing import BarredError, ProxyFailedError, RoutedTransport
from core.providers.http.tally import tallied
from core.settings.outside.network import Network, environment_network
from core.wire.surrogates import without_halves

USER_AGENT = "inkling"

# httpx allows 100 connections by default: the 101st open answer would wait for one to end.
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=30)


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Take nothing: looking costs as much as building a request."""


class _Client(httpx.AsyncClient):
    """A client whose cookie jar stays empty, and whose exchanges can be observed."""

    _no_cookies = _NoCookies()

    @property
    def cookies(self) -> httpx.Cookies:
        return self._no_cookies

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        raise TypeError("this client keeps no cookies")

    # Not async: one coroutine the less in every request.
    def send(self, request: httpx.Request, **how: Any) -> Coroutine[Any, Any, httpx.Response]:
        """Send a request, before the eyes of those who observe exchanges."""
        return observed(request, super().send(request, **how))


def build_client(
    *,
    timeout: httpx.Timeout,
    transport: httpx.AsyncBaseTransport | None = None,
    proxied: bool = True,
    streams: bool = False,
    network: Network | None = None,
) -> httpx.AsyncClient:
    """Return a client that follows no redirects and keeps no cookies.

    `network` says what is reached through a proxy and which certificates are believed; without one
    the environment does. When not `proxied`, everything is reached directly. `streams` is for many
    long replies in small pieces.
    """
    # At INFO both log every URL, and result links are signed.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if transport is None:
        network = network or environment_network(os.environ)
        transport = RoutedTransport(
            network if proxied else network.without_proxies(), limits=LIMITS, streams=streams
        )
    return _Client(
        timeout=timeout,
        transport=transport,
        trust_env=False,  # what the environment says stands in `network`
        follow_redirects=False,
        headers={"User-Agent": USER_AGENT},
    )


def post_request(
    url: httpx.URL, body: bytes, headers: httpx.Headers, *, timeout: httpx.Timeout
) -> httpx.Request:
    """Return the request a client would build, with all its headers given, in a sixth of the time.

    `headers` holds all but the body's length, and is left as it is.
    """
    request = httpx.Request(
        "POST",
        url,
        headers=headers,
        stream=httpx.ByteStream(body),
        extensions={"timeout": timeout.as_dict()},
    )
    request.headers["Content-Length"] = str(len(body))
    request.read()
    return request


@tallied
def transport_error(error: httpx.HTTPError, *, provider: str, host: str) -> UnavailableError:
    """Return our error for one of httpx's: no connection, no answer in time, or one broken off.

    Its `is_unsent` says whether the request is certain not to have been sent.
    """
    if isinstance(error, BarredError):
        problem = error.problem
        return UnavailableError(problem.text_id, provider=provider, facts=problem.facts)
    if isinstance(error, ProxyFailedError):
        key, value = error.proxy.key, error.proxy.shown
        return UnavailableError(
            "error.network_proxy",
            provider=provider,
            facts={"host": host, "key": key, "value": value},
        )
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        text_id = "error.network_connect"
    elif isinstance(error, httpx.TimeoutException):
        text_id = "error.network_timeout"
    else:
        text_id = "error.network_lost"
    return UnavailableError(text_id, provider=provider, facts={"host": host})


def retry_after_s(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the Retry-After header in seconds, given as seconds or as a date.

    A date is measured against the reply's own Date when it has one, else against `now`.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        until = http_date(value)
        if until is None:
            return None
        seconds = until - (http_date(headers.get("date", "")) or now)
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def http_date(value: str) -> float | None:
    """Return an HTTP date as Unix seconds, or None when it is not one."""
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def json_object(text: str | bytes | bytearray) -> dict[str, Any] | None:
    """Return the JSON object in `text`, or None when it holds anything else."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        value = _without_halves(lenient_json(text))
    return value if isinstance(value, dict) else None


def lenient_json(text: str | bytes | bytearray) -> Any:
    """Return a JSON value, or None where it is none; also what msgspec refuses and others write:
    NaN, huge numbers, raw control characters, halves of surrogate pairs, which stay as they are."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _without_halves(value: Any) -> Any:
    """Return a value that every file, database and socket takes."""
    try:
        return json.loads(without_halves(json.dumps(value, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
