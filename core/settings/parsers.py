"""How the text of each kind of setting is understood; none of them tells the text itself."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from core.models.access_scopes import AccessScopes, scopes_from
from core.models.money.hours import BEIJING
from core.settings.secret import Secret

# Switched off on 2026-07-24 (api-docs.deepseek.com/news/news260424).
RETIRED_CHAT_MODELS = frozenset({"deepseek-chat", "deepseek-reasoner", "deepseek-coder"})

# Pasted along with keys from web pages: no-break space, zero-width marks, byte order mark.
STRAY = " \t\r\n\v\f\u00a0\u200b\u200c\u200d\u2060\u3000\ufeff"


Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_SWITCH = {
    **dict.fromkeys(("on", "true", "yes", "1", "开"), True),
    **dict.fromkeys(("off", "false", "no", "0", "关"), False),
}


class UnusableError(Exception):
    """A text that is not of its kind; the catalogue says what would be."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def strip(value: str) -> str:
    """Return the text without what was pasted along with it, and without one pair of quotes."""
    value = value.strip(STRAY)
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip(STRAY)
    return value


def text(value: str) -> str:
    """Take any text as it is."""
    return value


def key(value: str) -> Secret:
    """Return a key as it goes into an HTTP header."""
    # A key goes into an HTTP header: visible ASCII only, and no "Bearer " pasted in front of it.
    value = value.removeprefix("Bearer ").strip(STRAY)
    if not value or not all("!" <= character <= "~" for character in value):
        raise UnusableError("key")
    return Secret(value)


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        port_is_fine = False
        parts = urlsplit("")
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not port_is_fine
        or parts.username is not None
        or any(character.isspace() for character in value)
    ):
        raise UnusableError("url")
    return value


def web_url(value: str) -> str:
    """Return a URL without a slash at its end."""
    return _url(value).rstrip("/")


def speech_url(value: str) -> str:
    """Return where speech is asked: a URL, or a WebSocket's, without a slash at its end."""
    front, separator, rest = value.partition("://")
    plain = {"ws": "http", "wss": "https"}.get(front.lower())
    if plain is None:
        return web_url(value)
    return front.lower() + separator + web_url(plain + separator + rest).partition("://")[2]


def origin(value: str) -> str:
    """Return scheme and host of a URL that has nothing more."""
    parts = urlsplit(_url(value))
    if parts.path.rstrip("/") or parts.query or parts.fragment:
        raise UnusableError("origin")
    return f"{parts.scheme}://{parts.netloc}"


def model_at(url: str) -> Callable[[str], str]:
    """Return the parser of a model that the server at `url` is asked for."""
    # Other servers may call their models as they like.
    is_deepseek = (urlsplit(url).hostname or "").endswith("deepseek.com")

    def parse(value: str) -> str:
        if is_deepseek and value in RETIRED_CHAT_MODELS:
            raise UnusableError("retired_model")
        return value

    return parse


def seconds(value: str) -> float:
    """Return a number of seconds within a day."""
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 < number <= 86_400:
        raise UnusableError("seconds")
    return number


def count(value: str) -> int:
    """Return a whole number from one up."""
    if not value.isascii() or not value.isdigit() or not 0 < int(value[:6]) <= 10_000:
        raise UnusableError("count")
    return int(value)


def log_form(value: str) -> str:
    """Return how the log is written: as text, or a JSON object a line."""
    form = value.strip().lower()
    if form not in ("text", "json"):
        raise UnusableError("log_form")
    return form


def switch(value: str) -> bool:
    """Return whether something is on."""
    found = _SWITCH.get(value.strip().lower())
    if found is None:
        raise UnusableError("switch")
    return found


def moment(value: str) -> datetime:
    """Return the moment an ISO text names, by Beijing's clock where it names no offset."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise UnusableError("moment") from error
    if not 2000 <= found.year < 3000:  # before and after, its offset could leave the calendar
        raise UnusableError("moment")
    return found if found.tzinfo is not None else found.replace(tzinfo=BEIJING)


def database(value: str) -> Secret:
    """Return the URL of a database we can use; it may hold a password."""
    if not value.startswith(("postgresql://", "postgres://", "postgresql+psycopg://", "sqlite://")):
        raise UnusableError("database")
    return Secret(value)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Access tokens by their names, and the scopes of those that have any."""

    tokens: Mapping[str, Secret] = field(default_factory=dict)
    scopes: Mapping[str, AccessScopes] = field(default_factory=dict)


def tokens(value: str) -> Tokens:
    """Return the tokens of `name:token, name(chat+read):token …`."""
    found: dict[str, Secret] = {}
    scopes: dict[str, AccessScopes] = {}
    for entry in filter(None, (part.strip(STRAY) for part in value.split(","))):
        named, separator, token = (part.strip(STRAY) for part in entry.partition(":"))
        name, is_scoped, words = (part.strip(STRAY) for part in named.partition("("))
        if not separator or not name or len(token) < 16 or name in found or not token.isascii():
            raise UnusableError("tokens")
        found[name] = Secret(token)
        if is_scoped:
            scopes[name] = _scopes(words)
    return Tokens(found, scopes)


def _scopes(words: str) -> AccessScopes:
    if not words.endswith(")"):
        raise UnusableError("tokens")
    try:
        return scopes_from(word.strip(STRAY).lower() for word in words[:-1].split("+"))
    except ValueError as error:
        raise UnusableError("tokens") from error


def network(value: str) -> Network:
    """Return an address or a network; of a network's address any may be given."""
    try:
        found = ipaddress.ip_network(value.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError as error:
        raise UnusableError("network") from error
    mapped = found.network_address.ipv4_mapped if isinstance(found, ipaddress.IPv6Network) else None
    if mapped is None or found.prefixlen < 96:
        return found
    return ipaddress.ip_network(f"{mapped}/{found.prefixlen - 96}", strict=False)


def header_name(value: str) -> str:
    """Return the name of an HTTP header, in small letters."""
    if not re.fullmatch(r"[A-Za-z0-9-]+", value):
        raise UnusableError("header")
    return value.lower()
