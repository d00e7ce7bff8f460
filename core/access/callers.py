"""Who calls, and from where: judged by the connection's facts alone.

The owner's machine may spend without a word. It is told apart by three things that have to agree:
the peer's address is loopback, no header says that somebody forwarded the call, and `Host` is a
name of this machine (a foreign name that resolves to it is DNS rebinding). A browser on this very
machine also carries the calls of foreign pages: those are told by `Origin`, `Sec-Fetch-Site` and
`Referer`. From elsewhere only an access token counts.
"""

import hmac
import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

Refusal = Literal["elsewhere", "token", "host", "origin"]

LOCAL = "local"

_FORWARDING = frozenset(
    {
        "forwarded",
        "via",
        "client-ip",
        "true-client-ip",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-originating-ip",
        "x-envoy-external-address",
        "cf-connecting-ip",
        "fastly-client-ip",
        "fly-client-ip",
    }
)
_FORWARDING_PREFIXES = ("x-forwarded", "x-original-", "cf-", "x-appengine-", "x-vercel-")


@dataclass(frozen=True, slots=True)
class Approach:
    """A request as far as it tells who sent it; names of headers are in small letters."""

    address: str | None
    headers: Mapping[str, str] = field(repr=False)
    scheme: str = "http"
    access_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner has configured; `tokens` maps names to the tokens themselves."""

    hosts: Collection[str] = ()
    origins: Collection[str] = ()
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who may go on, as which caller; or why not, and what was not known ("seen")."""

    caller: str | None
    refusal: Refusal | None = None
    seen: str = ""


def judge(approach: Approach, rules: Rules) -> Verdict:
    """Tell whether a request may spend or read, and as whom its requests are counted."""
    name = _token_name(approach, rules)
    if name is None:
        refusal = _not_from_here(approach, rules.hosts)
        if refusal is not None:
            if refusal.refusal == "elsewhere" and _presented(approach):
                return Verdict(None, "token")
            return refusal
    if not is_allowed_page(approach, rules, host_is_known=name is None):
        return Verdict(None, "origin", _page(approach))
    return Verdict(LOCAL if name is None else f"token:{name}")


def is_from_here(address: str | None, headers: Mapping[str, str], hosts: Collection[str]) -> bool:
    """Tell whether a visitor sits at this machine; for pages, which have no tokens."""
    return _not_from_here(Approach(address, headers), hosts) is None


def is_allowed_page(approach: Approach, rules: Rules, *, host_is_known: bool = True) -> bool:
    """Tell whether the page that sends a request may do so; True when no page sends it."""
    headers = approach.headers
    origin = headers.get("origin")
    if origin is not None:
        return is_allowed_origin(origin, approach, rules)
    site = headers.get("sec-fetch-site")
    if site == "cross-site":
        return False  # an image, a link, a form of a foreign page: they have no Origin to check
    if site == "same-site" and not (host_is_known and _is_loopback_host(headers.get("host", ""))):
        return False  # a sister domain is another page; on loopback it is only another port
    if site is None and (referer := headers.get("referer")):
        # Old browsers, and hosts that are not https: all there is to go by.
        return is_allowed_origin(_origin_of(referer), approach, rules)
    return True


def is_allowed_origin(origin: str, approach: Approach, rules: Rules) -> bool:
    """Tell whether pages of `origin` may call: loopback's, the listed ones, and our own."""
    if is_shared_origin(origin, rules):
        return True
    parts = _split(origin.strip().lower())
    own_host = approach.headers.get("host", "").strip().lower()
    return parts is not None and parts[0] == approach.scheme and parts[2] == own_host


def is_shared_origin(origin: str, rules: Rules) -> bool:
    """Tell whether pages of another origin than our own may call, and read what comes."""
    asked = origin.strip().lower()
    parts = _split(asked)
    return asked in rules.origins or (
        parts is not None and parts[0] == "http" and parts[1] in ("localhost", "127.0.0.1")
    )


def forwarding_header(headers: Mapping[str, str]) -> str | None:
    """Return the first header that says that the call came by way of somebody else."""
    return next(
        (name for name in headers if name in _FORWARDING or name.startswith(_FORWARDING_PREFIXES)),
        None,
    )


@lru_cache(maxsize=256)  # asked for each request, of few addresses
def is_loopback(address: str | None) -> bool:
    """Tell whether an address is this machine's own, IPv4 written as IPv6 included."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def _not_from_here(approach: Approach, hosts: Collection[str]) -> Verdict | None:
    if not is_loopback(approach.address):
        return Verdict(None, "elsewhere", approach.address or "?")
    if (header := forwarding_header(approach.headers)) is not None:
        return Verdict(None, "elsewhere", header)
    host = approach.headers.get("host", "").strip().lower()
    if not (_is_loopback_host(host) or host in hosts or _without_port(host) in hosts):
        return Verdict(None, "host", host)
    return None


def _token_name(approach: Approach, rules: Rules) -> str | None:
    presented = [token.encode("utf-8", "replace") for token in _presented(approach)]
    found: str | None = None
    # Every token is compared with every one that is known: the time tells nothing.
    for name, token in rules.tokens.items():
        known = token.encode("utf-8", "replace")
        for one in presented:
            if hmac.compare_digest(known, one):
                found = name
    return found


def _presented(approach: Approach) -> list[str]:
    tokens = [approach.access_token] if approach.access_token else []
    scheme, _, value = approach.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        tokens.append(value.strip())
    return tokens


def _page(approach: Approach) -> str:
    headers = approach.headers
    return (
        headers.get("origin")
        or _origin_of(headers.get("referer", ""))
        or headers.get("sec-fetch-site", "")
    )


def _origin_of(url: str) -> str:
    parts = _split(url.strip().lower())
    return f"{parts[0]}://{parts[2]}" if parts else ""


def _split(url: str) -> tuple[str, str, str] | None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return None
    if not parts.scheme or not host or "@" in parts.netloc:
        return None
    return parts.scheme, host, parts.netloc


def _is_loopback_host(host: str) -> bool:
    name = _without_port(host.strip().lower())
    if name.startswith("[") and name.endswith("]"):
        return is_loopback(name[1:-1])
    return name == "localhost" or (":" not in name and is_loopback(name))


def _without_port(host: str) -> str:
    if host.startswith("["):
        name, _, port = host.rpartition("]")
        return f"{name}]" if not port or (port[0] == ":" and port[1:].isdigit()) else host
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host
