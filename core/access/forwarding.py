"""Forwarding: signs that a call came by way of somebody else, and whom of those to believe."""

import os
from collections.abc import Collection, Mapping

from core.access.connection import ConnectionFacts, Rules
from core.access.network.addresses import Network, furthest_untrusted, is_among

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


def is_listed_proxy(connection: ConnectionFacts, proxies: Collection[Network]) -> bool:
    """Tell whether the peer is one of the proxies whose forwarding headers are believed."""
    if not proxies:
        return False
    if not connection.is_rewritten:
        return is_among(connection.address, proxies)
    # All that is left of the peer: it is one of those whom the server lets write its address.
    believed = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1").split(",")
    return all(is_among(entry.strip(), proxies) for entry in believed)


def caller_address(connection: ConnectionFacts, rules: Rules) -> str | None:
    """Return the address of the caller: the peer's, or what a listed proxy says it is."""
    if is_listed_proxy(connection, rules.proxies):
        return furthest_untrusted(connection.address, connection.headers, rules.proxies)
    return connection.address


def forwarding_names(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of all headers that say somebody forwarded a call."""
    return tuple(
        name for name in headers if name in _FORWARDING or name.startswith(_FORWARDING_PREFIXES)
    )


def forwarding_header(headers: Mapping[str, str]) -> str | None:
    """Return the first header that says that the call came by way of somebody else."""
    return next(iter(forwarding_names(headers)), None)


def forwarding_sign(connection: ConnectionFacts) -> str | None:
    """Return what says that the call came by way of somebody else: a header, or HTTP/1.0."""
    if (header := forwarding_header(connection.headers)) is not None:
        return header
    if connection.is_rewritten:
        return "x-forwarded-for"
    # Browsers and programs have spoken 1.1 for decades; a proxy's default is 1.0 to this day.
    return f"HTTP/{connection.http_version}" if connection.http_version in ("1.0", "0.9") else None


def scheme_of(connection: ConnectionFacts, rules: Rules) -> str:
    """Return the scheme in the caller's address: this server's own, or what a listed proxy says."""
    told = connection.headers.get("x-forwarded-proto", "").strip().lower()
    is_told = told in ("http", "https") and is_listed_proxy(connection, rules.proxies)
    return told if is_told else connection.scheme
