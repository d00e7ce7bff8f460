"""NO_PROXY as curl reads it: which hosts are reached without a proxy.

Measured on curl 7.88 and 8.23, which agree on all of this but two things: 7.88 knows no networks of
IPv6 addresses, 8.23 does not take a space for a separator; here both are read. `*.domain` and
`host:port` match nothing in any of them.
"""

import re
import socket
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

_SEPARATORS = re.compile(r"[ \t,]+")
_NUMERIC = re.compile(r"(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+)){0,3}")
_DIGITS = re.compile(r"[0-9]{1,3}")


@dataclass(frozen=True)
class NoProxy:
    """The entries of one NO_PROXY; what is no host, domain, address or network matches nothing."""

    text: str = ""

    @property
    def has_all(self) -> bool:
        """Tell whether no proxy is to be used at all: a lone asterisk."""
        return self.text == "*"

    def matches(self, host: str) -> bool:
        """Tell whether a host, as `plain_host` gives it, is reached directly."""
        if self.has_all:
            return True
        address = address_of(host)
        if address is None:
            return any(_is_in_domain(host, entry) for entry in self._entries)
        return any(address in network for network in self._networks)

    @cached_property
    def _entries(self) -> tuple[str, ...]:
        entries = filter(None, _SEPARATORS.split(self.text))
        # One dot at either end, as in curl: a second one makes it another name.
        plain = (plain_host(entry.removesuffix(".").removeprefix(".")) for entry in entries)
        return tuple(filter(None, plain))

    @cached_property
    def _networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        networks = (_network(entry) for entry in _SEPARATORS.split(self.text))
        return tuple(network for network in networks if network is not None)


def plain_host(host: str) -> str:
    """Return a URL's host in one spelling: lower case, ASCII, without brackets or a last dot."""
    host = host.strip("[]").partition("%")[0].removesuffix(".").lower()
    if _NUMERIC.fullmatch(host):
        try:  # 127.1 and 0x7f000001 are addresses to everyone who connects
            return str(IPv4Address(socket.inet_aton(host)))
        except (OSError, ValueError):
            return host
    if not host.isascii():
        try:
            return host.encode("idna").decode("ascii")
        except UnicodeError:
            return host
    return host


def address_of(host: str) -> Address | None:
    """Return the address that a plain host is, if it is one."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Tell whether a plain host is this machine, whatever anyone's name service says."""
    address = address_of(host)
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_unspecified


def _is_in_domain(host: str, entry: str) -> bool:
    return host == entry or host.endswith(f".{entry}")


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    text, slash, bits = entry.partition("/")
    address = None if "%" in text else address_of(text)
    if address is None or (slash and not _DIGITS.fullmatch(bits)):
        return None
    # No bits are all bits: to curl 0.0.0.0/0 is one address.
    size = int(bits or 0) or address.max_prefixlen
    if size > address.max_prefixlen:
        return None
    return ip_network((address, size), strict=False)
