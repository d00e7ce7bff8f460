"""Who calls, and from where: judged by the connection's facts alone, for HTTP layer and pages.

The owner's machine may spend without a word. It is told apart by what has to agree: the peer's
address is loopback, its socket belongs to the studio's own user where the system can tell, nothing
says that somebody forwarded the call (a header, HTTP/1.0, one such call earlier, the owner's own
configuration), and `Host` is a name of this machine (a foreign name that resolves to it is DNS
rebinding). A browser on this very machine also carries the calls of foreign pages: those are told
by `Origin`, `Sec-Fetch-Site` and `Referer`. From elsewhere only an access token counts, a pass, or
a person whom a listed proxy names.
"""

import hmac
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlsplit

from core.access.addresses import Network, furthest_untrusted, is_among, is_loopback, is_private
from core.access.peer import Peer, Whose
from core.models.access_scopes import AccessScopes
from core.settings import AccessSettings

Refusal = Literal[
    "elsewhere",
    "token",
    "host",
    "origin",
    "behind_proxy",
    "forwarder",
    "another_user",
    "user",
    "unseen",
]

LOCAL = "local"
TOKEN = "token:"
USER = "user:"
PASS = "pass:"

# Looks up the valid pass in a request's Cookie header, and returns the name of whose it is.
PassLookup = Callable[[str], str | None]


def no_passes(_cookie: str) -> str | None:
    """Look nowhere: where no passes are given out."""
    return None


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
class ConnectionFacts:
    """A request as far as it tells who sent it; names of headers are in small letters."""

    address: str | None
    headers: Mapping[str, str] = field(repr=False)
    scheme: str = "http"
    access_token: str | None = field(default=None, repr=False)
    whose: Whose = "unknown"
    is_rewritten: bool = False
    http_version: str = "1.1"

    @classmethod
    def of(
        cls,
        peer: Peer,
        headers: Mapping[str, str],
        scheme: str = "http",
        access_token: str | None = None,
    ) -> "ConnectionFacts":
        """Return the connection of a peer with what it sent."""
        return cls(
            peer.address,
            headers,
            scheme,
            access_token,
            peer.whose,
            peer.is_rewritten,
            peer.http_version,
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner has configured; `tokens` maps names to the tokens themselves."""

    hosts: Collection[str] = ()
    origins: Collection[str] = ()
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    behind_proxy: bool = False
    proxies: Collection[Network] = ()
    user_header: str | None = None
    users: Collection[str] = ()
    scopes: Mapping[str, AccessScopes] = field(default_factory=dict)  # by a token's name; else all

    @classmethod
    def of(cls, access: AccessSettings) -> "Rules":
        """Return the rules that the settings hold."""
        return cls(
            hosts=frozenset(access.hosts),
            origins=frozenset(access.origins),
            tokens={name: token.reveal() for name, token in access.tokens.items()},
            behind_proxy=access.behind_proxy,
            proxies=access.proxies,
            user_header=access.user_header,
            users=access.users,
            scopes=access.token_scopes,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who may go on, as which caller; or why not, and what was not known ("seen")."""

    caller: str | None
    refusal: Refusal | None = None
    seen: str = ""
    address: str | None = field(default=None, compare=False)  # the caller's, for limits and logs


def judge(
    connection: ConnectionFacts,
    rules: Rules,
    *,
    forwarder: str | None = None,
    pass_name: str | None = None,
    issued: str | None = None,
) -> Verdict:
    """Tell whether a request may spend or read, and as whom its requests are counted.

    `forwarder` is what the latch has seen, `pass_name` whose valid pass the request carries,
    `issued` the name of a token among those presented that the owner made on the page.
    """
    address = caller_address(connection, rules)
    name = token_name(presented(connection), rules) or issued
    if name is not None:
        verdict = Verdict(f"{TOKEN}{name}", address=address)
    else:
        verdict = identify(connection, rules, forwarder=forwarder, pass_name=pass_name)
        if verdict.caller is None:
            is_guess = verdict.refusal != "host" and bool(presented(connection))
            return Verdict(None, "token", address=address) if is_guess else verdict
    if not is_allowed_page(connection, rules, host_is_known=verdict.caller == LOCAL):
        return Verdict(None, "origin", _page(connection), address)
    return verdict


def identify(
    connection: ConnectionFacts,
    rules: Rules,
    *,
    forwarder: str | None = None,
    pass_name: str | None = None,
) -> Verdict:
    """Tell who it is without an access token; for the pages, which have none."""
    address = caller_address(connection, rules)
    refusal = _not_from_here(connection, rules, forwarder, address)
    if refusal is None:
        return Verdict(LOCAL, address=address)
    # The one place where a pass comes in: whatever it is that keeps others out.
    if pass_name is not None:
        return Verdict(f"{PASS}{pass_name}", address=address)
    person = named_person(connection, rules)
    if person is None:
        return refusal
    if is_listed(person, rules.users):
        return Verdict(f"{USER}{person}", address=address)
    return Verdict(None, "user", person, address)


def is_listed(address: str, users: Collection[str]) -> bool:
    """Tell whether an e-mail address is on the list, by itself or by its domain."""
    address = address.strip().lower()
    domain = address.rpartition("@")[2]
    return any(entry == address or entry.lstrip("@") == domain for entry in users)


def named_person(connection: ConnectionFacts, rules: Rules) -> str | None:
    """Return the person whom a listed proxy names; anybody else may write what they like."""
    if rules.user_header is None or not is_listed_proxy(connection, rules.proxies):
        return None
    person = connection.headers.get(rules.user_header, "").strip().lower()
    is_one = person.count("@") == 1 and not any(sign in person for sign in ", ;\t")
    return person if is_one and person.isprintable() else None


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


def is_allowed_page(
    connection: ConnectionFacts, rules: Rules, *, host_is_known: bool = True
) -> bool:
    """Tell whether the page that sends a request may do so; True when no page sends it."""
    headers = connection.headers
    origin = headers.get("origin")
    if origin is not None:
        return is_allowed_origin(origin, connection, rules)
    site = headers.get("sec-fetch-site")
    if site == "cross-site":
        return False  # an image, a link, a form of a foreign page: they have no Origin to check
    if site == "same-site" and not (host_is_known and _is_loopback_host(headers.get("host", ""))):
        return False  # a sister domain is another page; on loopback it is only another port
    if site is None and (referer := headers.get("referer")):
        # Old browsers, and hosts that are not https: all there is to go by.
        return is_allowed_origin(_origin_of(referer), connection, rules)
    return True


def is_allowed_origin(origin: str, connection: ConnectionFacts, rules: Rules) -> bool:
    """Tell whether pages of `origin` may call: loopback's, the listed ones, and our own."""
    if is_shared_origin(origin, rules):
        return True
    parts = _split(origin.strip().lower())
    own_host = connection.headers.get("host", "").strip().lower()
    return parts is not None and parts[0] == scheme_of(connection, rules) and parts[2] == own_host


def is_own_page(connection: ConnectionFacts) -> bool:
    """Tell whether a page of this very address sends the request, as a pass asks for.

    A cookie comes with what a foreign page, or a link in a message, has the browser send as well;
    so a request that does not say which page it is from is none of ours. The scheme is left out:
    behind a proxy it is another one here than in the browser, which keeps both apart by itself.
    """
    headers = connection.headers
    named = headers.get("origin")
    if named is None and (site := headers.get("sec-fetch-site")) is not None:
        return site == "same-origin"
    parts = _split((named or headers.get("referer", "")).strip().lower())
    own_host = headers.get("host", "").strip().lower()
    return parts is not None and parts[0] in ("http", "https") and parts[2] == own_host


def is_shared_origin(origin: str, rules: Rules) -> bool:
    """Tell whether pages of another origin than our own may call, and read what comes."""
    asked = origin.strip().lower()
    parts = _split(asked)
    return asked in rules.origins or (
        parts is not None and parts[0] == "http" and parts[1] in ("localhost", "127.0.0.1")
    )


def can_be_this_machine(host: str) -> bool:
    """Tell whether a `Host` may be a name of this machine, and not one that a proxy answers to."""
    name = _without_port(host.strip().lower()).rstrip(".")
    if is_private(name.removeprefix("[").removesuffix("]")):
        return True
    labels = name.split(".")
    if not all(label.replace("-", "").replace("_", "").isalnum() for label in labels):
        return False
    return len(labels) == 1 or name.endswith((".local", ".lan", ".home.arpa", ".localhost"))


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


def _not_from_here(
    connection: ConnectionFacts, rules: Rules, forwarder: str | None, address: str | None
) -> Verdict | None:
    if rules.behind_proxy:
        return Verdict(None, "behind_proxy", address or "?", address)
    if not is_loopback(connection.address) and not connection.is_rewritten:
        return Verdict(None, "elsewhere", address or "?", address)
    if (sign := forwarding_sign(connection)) is not None:
        return Verdict(None, "elsewhere", sign, address)
    if is_listed_proxy(connection, rules.proxies):
        return Verdict(None, "behind_proxy", address or "?", address)
    if connection.whose in ("another", "nobody"):
        return Verdict(None, "another_user", connection.whose, address)
    host = connection.headers.get("host", "").strip().lower()
    if not (_is_loopback_host(host) or host in rules.hosts or _without_port(host) in rules.hosts):
        return Verdict(None, "host", host, address)
    if forwarder is not None:
        return Verdict(None, "forwarder", forwarder, address)
    return None


def scheme_of(connection: ConnectionFacts, rules: Rules) -> str:
    """Return the scheme in the caller's address: this server's own, or what a listed proxy says."""
    told = connection.headers.get("x-forwarded-proto", "").strip().lower()
    is_told = told in ("http", "https") and is_listed_proxy(connection, rules.proxies)
    return told if is_told else connection.scheme


def token_name(tokens: Collection[str], rules: Rules) -> str | None:
    """Return the name of the access token that is among those presented."""
    sent = [token.encode("utf-8", "replace") for token in tokens]
    found: str | None = None
    # Every token is compared with every one that is known: the time tells nothing.
    for name, token in rules.tokens.items():
        known = token.encode("utf-8", "replace")
        for one in sent:
            if hmac.compare_digest(known, one):
                found = name
    return found


def presented(connection: ConnectionFacts) -> list[str]:
    """Return what a request presents as access tokens."""
    tokens = [connection.access_token] if connection.access_token else []
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        tokens.append(value.strip())
    return tokens


def without_tokens(connection: ConnectionFacts) -> ConnectionFacts:
    """Return the connection as if it presented no access token."""
    others = {name: value for name, value in connection.headers.items() if name != "authorization"}
    return replace(connection, access_token=None, headers=others)


def _page(connection: ConnectionFacts) -> str:
    headers = connection.headers
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
