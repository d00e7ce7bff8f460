"""Which hosts result pictures may come from, and which addresses are the open internet's."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# Seen in samples, and what Kling's own plugin accepts (kling.md section 9).
PICTURE_DOMAINS = ("klingai.com", "kling.ai", "inkwai.com")

# Behind this prefix an IPv4 address is reached from a network without any (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")


def is_picture_host(host: str) -> bool:
    """Tell whether Kling is known to serve pictures from `host`."""
    return f".{host}".endswith(tuple(f".{domain}" for domain in PICTURE_DOMAINS))


def is_public(address: str) -> bool:
    """Tell whether `address` lies in the open internet, also the one wrapped in it."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return _is_open(ip)
    if ip in _NAT64:
        return _is_open(IPv4Address(int(ip) & 0xFFFFFFFF))
    wrapped = (ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ()))
    return _is_open(ip) and all(_is_open(inner) for inner in wrapped if inner is not None)


def _is_open(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast and not ip.is_reserved
