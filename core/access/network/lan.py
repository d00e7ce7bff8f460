"""LAN addresses of this machine: by which other devices of a network at home may reach it."""

import socket

from core.access.network.addresses import is_loopback, is_private

# Somewhere in each of the private networks. Nothing is sent there: the system is asked which of
# its addresses it would use.
_PROBES = ("192.168.255.254", "10.255.255.254", "172.31.255.254")
_PUBLIC_PROBE = "192.0.2.1"  # in no network: the way there is that to the internet
_DISCARD_PORT = 9


def lan_addresses() -> tuple[str, ...]:
    """Return this machine's IPv4 addresses in private networks, as far as its routes tell."""
    found = dict.fromkeys(filter(None, map(_address_towards, _PROBES)))
    return tuple(one for one in found if is_private(one) and not is_loopback(one))


def own_addresses() -> tuple[str, ...]:
    """Return this machine's IPv4 addresses, as far as its routes tell, also a public one."""
    found = (*lan_addresses(), _address_towards(_PUBLIC_PROBE))
    return tuple(dict.fromkeys(one for one in found if one is not None and not is_loopback(one)))


def _address_towards(address: str) -> str | None:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.connect((address, _DISCARD_PORT))
            return str(asking.getsockname()[0])
    except OSError:
        return None
