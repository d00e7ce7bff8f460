"""An exchange kept as it was, and the masking of it: done when somebody looks, never before.

The bytes lie in this process's memory only, as the keys do. `KeptExchange` is the one holder of
them, and whatever it gives out is masked.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import NoReturn

import httpx

from core.providers.http.bearer_facts import BearerFacts, bearer_facts
from core.providers.http.redaction import SECRET_MOST, clean_text
from core.providers.http.split_secrets import blanked
from core.wire.masking.secrets import MASK, KnownSecrets, known_secrets

_HIDDEN = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})
_VIEWS_MOST = 8  # masked bodies that are held, so that a page is not masked at each of its runs
# What an exchange takes beside its bodies, roughly, with its masked head.
_EACH_BYTES, CHUNK_BYTES = 6_000, 120

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it, without secrets; times in seconds after `began_at`."""

    began_at: datetime
    method: str
    url: str  # without user, query and fragment
    request_headers: Headers
    request_body: str
    status_code: int | None  # None: no reply came
    response_headers: Headers
    response_body: str
    chunks: tuple[tuple[float, int], ...]  # when bytes of the kept body came, and how many
    first_byte_s: float | None  # of the headers
    duration_s: float
    error: str  # the class of what broke it off, or empty
    size_bytes: int  # of the reply's body, kept or not
    is_cut: bool  # of a body only the beginning was kept, or nothing
    subject: str = ""  # what it was for, as `mark_exchanges` said
    bearer: BearerFacts | None = None  # of a token that tells of itself


@dataclass(frozen=True, slots=True, repr=False)
class RawExchange:
    """What the hook noted, unmasked: made to be handed to a `KeptExchange`, and forgotten."""

    began_at: datetime
    method: str
    url: httpx.URL
    request_headers: httpx.Headers
    request_body: bytes
    status_code: int | None
    response_headers: httpx.Headers
    began: float  # by the clock of `times`
    times: list[float]
    pieces: list[bytes]
    packing: str  # the content encoding that the pieces are still in
    first_byte_s: float | None
    duration_s: float
    error: str
    size_bytes: int
    is_request_cut: bool
    is_reply_cut: bool
    subject: str


class KeptExchange:
    """An exchange whose bytes nobody gets at: it gives out masked views only."""

    __slots__ = ("__head", "__raw", "__secrets", "__weakref__", "memory_bytes")

    def __init__(self, raw: RawExchange) -> None:
        self.__raw = raw
        # A key may be changed for another before anybody looks.
        self.__secrets = known_secrets.secrets
        self.__head: tuple[int, Exchange] | None = None
        kept = sum(map(len, raw.pieces)) + len(raw.request_body)
        self.memory_bytes = _EACH_BYTES + kept + CHUNK_BYTES * len(raw.pieces)

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("what is kept of an exchange is neither copied nor written down")

    def head(self) -> Exchange:
        """Return the exchange, masked, without its bodies and chunks: what a list shows."""
        version = known_secrets.version
        if self.__head is None or self.__head[0] != version:
            self.__head = (version, self.__masked_head())
        return self.__head[1]

    def view(self) -> Exchange:
        """Return the whole exchange, masked."""
        return _view(self, known_secrets.version)

    def masked(self) -> Exchange:
        """Return the whole exchange, masked anew."""
        raw, clean = self.__raw, self.__cleaner()
        body = _unpacked(b"".join(raw.pieces), raw.packing)
        for known in self.__known():
            body = blanked(body, known)
        came = zip(raw.times, raw.pieces, strict=True)
        return replace(
            self.head(),
            request_body=_text(raw.request_body, clean, is_cut=raw.is_request_cut),
            response_body=_text(body, clean, is_cut=raw.is_reply_cut),
            chunks=tuple((at - raw.began, len(piece)) for at, piece in came),
        )

    def __masked_head(self) -> Exchange:
        raw, clean = self.__raw, self.__cleaner()
        return Exchange(
            began_at=raw.began_at,
            method=raw.method,
            url=clean(str(raw.url)),
            request_headers=_headers(raw.request_headers, clean),
            request_body="",
            status_code=raw.status_code,
            response_headers=_headers(raw.response_headers, clean),
            response_body="",
            chunks=(),
            first_byte_s=raw.first_byte_s,
            duration_s=raw.duration_s,
            error=raw.error,
            size_bytes=raw.size_bytes,
            is_cut=raw.is_request_cut or raw.is_reply_cut,
            subject=raw.subject,
            bearer=bearer_facts(raw.request_headers.get("authorization", "")),
        )

    def __known(self) -> tuple[KnownSecrets, ...]:
        """Return the secrets of now, and those of then with the one that was sent along."""
        sent = self.__raw.request_headers.get("authorization", "").partition(" ")[2].strip()
        gone = {*self.__secrets, sent} - {*known_secrets.secrets, ""}
        if not gone:
            return (known_secrets,)
        of_then = KnownSecrets()
        of_then.replace(gone)
        return known_secrets, of_then

    def __cleaner(self) -> Callable[[str], str]:
        """Return what masks a text."""
        *_, last = self.__known()
        if last is known_secrets:
            return clean_text
        return lambda text: clean_text(last.wash(text))


@lru_cache(maxsize=_VIEWS_MOST)
def _view(kept: KeptExchange, _version: int) -> Exchange:
    return kept.masked()


def _unpacked(body: bytes, packing: str) -> bytes:
    """Return the body that came: packed, no secret in it could be seen."""
    if not packing:
        return body
    try:
        return httpx.Response(200, headers={"content-encoding": packing}, content=body).content
    except httpx.DecodingError:
        return b""


def _headers(headers: httpx.Headers, clean: Callable[[str], str]) -> Headers:
    return tuple(
        (name, MASK if name.lower() in _HIDDEN else clean(value))
        for name, value in headers.multi_items()
    )


def _text(body: bytes, clean: Callable[[str], str], *, is_cut: bool) -> str:
    """Return a body as masked text; a secret that the bound cuts is not half shown."""
    shown = clean(body.decode("utf-8", "replace"))
    return shown[:-SECRET_MOST] if is_cut else shown
