"""One proxy, parsed from every form its variable is written in; and that form without secrets."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import unquote

from core.settings.outside.no_proxy import address_of, plain_host
from core.settings.parsers import strip
from core.settings.secret import Secret

# What desktops write for SOCKS, and what it is: names are resolved by the proxy in each case.
_SCHEMES = {
    "http": "http",
    "https": "https",
    "socks": "socks5",
    "socks5": "socks5",
    "socks5h": "socks5",
}
_PORTS = {"http": 80, "https": 443, "socks5": 1080}
_SHAPE = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://|(?![a-z][a-z0-9+.-]*:/))"
    r"(?:(?P<user>.*)@)?"  # up to the last @: passwords hold anything
    r"(?P<host>\[[^\]]*\]|[^:/?#\[\]@]*)"
    r"(?::(?P<port>[0-9]*))?"
    r"(?:[/?#][^@]*)?",
    re.IGNORECASE | re.DOTALL,
)
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
# Written where somebody meant that there is none.
_WORDS = frozenset(
    {"direct", "disabled", "false", "no", "none", "null", "off", "true", "undefined"}
)
_SCHEME_FORM = re.compile(r"(?i)([a-z][a-z0-9+.-]{0,11}://)")
_HIDDEN = "…"
_NAME_MOST = 253


class UnusableProxyError(Exception):
    """A text that names no proxy we can speak to."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that can be used, and the variable it came from."""

    key: str
    scheme: str
    host: str
    port: int
    user: str | None = None
    password: Secret | None = None

    @property
    def shown(self) -> str:
        """Return its address, without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse_proxy(key: str, text: str) -> Proxy:
    """Return the proxy that `text` names; without a scheme it is an HTTP proxy, as for curl."""
    match = _SHAPE.fullmatch(strip(text))
    scheme = _SCHEMES.get((match["scheme"] or "http").lower()) if match else None
    host = _host(match["host"]) if match else None
    if match is None or scheme is None or host is None or strip(text).lower() in _WORDS:
        raise UnusableProxyError
    port = int(match["port"]) if match["port"] and len(match["port"]) <= 5 else _PORTS[scheme]
    if (match["port"] and len(match["port"]) > 5) or not 0 < port < 65_536:
        raise UnusableProxyError
    user, colon, password = (match["user"] or "").partition(":")
    try:
        # As they go to the proxy: half a surrogate pair, from bytes that are no UTF-8, cannot.
        unquote(f"{user}{password}").encode()
    except UnicodeEncodeError:
        raise UnusableProxyError from None
    return Proxy(
        key,
        scheme,
        host,
        port,
        user=unquote(user) if match["user"] is not None else None,
        password=Secret(unquote(password)) if colon else None,
    )


def shown_form(text: str) -> str:
    """Return what kind of text stands there: scheme and place at most, never a credential."""
    text = strip(text)
    scheme = _SCHEME_FORM.match(text)
    match = _SHAPE.fullmatch(text)
    host = _host(match["host"]) if match else None
    if match is None or host is None:
        return f"{scheme[1] if scheme else ''}{_HIDDEN}"
    user = f"{_HIDDEN}@" if match["user"] is not None else ""
    port = f":{match['port']}" if match["port"] and len(match["port"]) <= 5 else ""
    return f"{scheme[1] if scheme else ''}{user}{match['host']}{port}"


def _host(text: str) -> str | None:
    """Return a host that can be connected to, in one spelling; None for anything else."""
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1].replace("%25", "%")))
        except ValueError:
            return None
    host = plain_host(text)
    if text.isdecimal() or len(host) > _NAME_MOST or not _NAME.fullmatch(host):
        return None
    if not all(sign.isalnum() or sign in "._-" for sign in text):
        return None  # Python would encode them, no name service has them
    if host.rpartition(".")[2].isdecimal() and address_of(host) is None:
        return None
    return host
