"""Addresses: which are this machine's own, which belong to listed proxies, who forwarded."""

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Python's own `is_private` holds for documentation's addresses and others as well.
_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)


@lru_cache(maxsize=256)  # asked for each request, of few addresses
def is_loopback(address: str | None) -> bool:
    """Tell whether an address is this machine's own, IPv4 written as IPv6 included."""
    parsed = parse(address)
    return parsed is not None and parsed.is_loopback


def parse(address: str | None) -> IpAddress | None:
    """Return an IP address, IPv4 written as IPv6 as the IPv4 that it is; None for other text."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed


def is_among(address: str | None, networks: Collection[Network]) -> bool:
    """Tell whether an address lies in one of the networks."""
    if not networks:  # as nearly everywhere
        return False
    parsed = parse(address)
    return parsed is not None and any(parsed in network for network in networks)


def is_private(address: str) -> bool:
    """Tell whether an address is of a network at home, or of this machine alone."""
    return is_among(address, _PRIVATE)


def hops(headers: Mapping[str, str]) -> list[str]:
    """Return who the forwarding headers say the call went through, the caller first."""
    if forwarded_for := headers.get("x-forwarded-for"):
        return [_without_port(part) for part in forwarded_for.split(",") if part.strip()]
    return [
        _without_port(value)
        for element in headers.get("forwarded", "").split(",")
        for name, _, value in (pair.strip().partition("=") for pair in element.split(";"))
        if name.strip().lower() == "for" and value.strip()
    ]


def furthest_untrusted(
    peer: str | None, headers: Mapping[str, str], proxies: Iterable[Network]
) -> str | None:
    """Return the rightmost hop that is none of the listed proxies: all left of it may be made up.

    Only for a peer that is a listed proxy itself; where all hops are listed, the first of them.
    """
    listed = tuple(proxies)
    chain = hops(headers)
    outside = next((hop for hop in reversed(chain) if not is_among(hop, listed)), None)
    return outside or (chain[0] if chain else peer)


def _without_port(hop: str) -> str:
    text = hop.strip().strip('"').strip()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, _, port = text.rpartition(":")
    return host if host and ":" not in host and port.isdigit() else text
