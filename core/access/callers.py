"""Who calls, and from where: judged by the connection's facts alone, for HTTP layer and pages.

The owner's machine may spend without a word. It is told apart by what has to agree: the peer's
address is loopback, its socket belongs to the studio's own user where the system can tell, nothing
says that somebody forwarded the call (a header, HTTP/1.0, one such call earlier, the owner's own
configuration), and `Host` is a name of this machine (a foreign name that resolves to it is DNS
rebinding). A browser on this very machine also carries the calls of foreign pages: those are told
by `Origin`, `Sec-Fetch-Site` and `Referer`. From elsewhere only an access token counts, a pass, or
a person whom a listed proxy names.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Literal

from core.access.connection import ConnectionFacts, Rules
from core.access.forwarding import caller_address, forwarding_sign, is_listed_proxy
from core.access.network.addresses import is_loopback
from core.access.network.host_names import is_loopback_host, without_port
from core.access.page_origin import is_allowed_page, page_of
from core.access.presented_tokens import presented, token_name

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
        return Verdict(None, "origin", page_of(connection), address)
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
    if not (is_loopback_host(host) or host in rules.hosts or without_port(host) in rules.hosts):
        return Verdict(None, "host", host, address)
    if forwarder is not None:
        return Verdict(None, "forwarder", forwarder, address)
    return None
