"""Who sits before the page: decides whose things are shown and whether money may be spent.

Streamlit listens on every interface unless told otherwise. Who sits at this machine is its owner;
the facts which tell that are looked at by the middleware (core/web/front/connection.py), once a
websocket.
From elsewhere only practice is served, unless the owner has said otherwise: to everyone (`[access]
open`), to people who signed in (`[auth]`, Streamlit's own OIDC, or a listed proxy's `user_header`;
and `[access] users`), or to the bearer of a pass.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal
from uuid import uuid4

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from core.access.callers import (
    LOCAL,
    PASS,
    USER,
    PassLookup,
    Verdict,
    identify,
    is_listed,
    no_passes,
)
from core.access.connection import ConnectionFacts, Rules
from core.access.forwarders import LATCH
from core.access.network.peer import PEER_HEADER, Peer
from core.access.owners import LOCAL_OWNER, user_owner, visitor_owner
from core.access.page_origin import is_own_page
from core.settings import AccessSettings

Standing = Literal["here", "pass", "open", "user", "stranger", "refused"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose rows a session sees, and why it may or may not spend."""

    owner: str
    standing: Standing
    address: str | None = None  # of a person who signed in
    verdict: Verdict | None = None  # why it is not the owner's machine, for a stranger
    pass_name: str | None = None


def visitor(access: AccessSettings, visitor_id: str, pass_name: PassLookup = no_passes) -> Visitor:
    """Judge this session; `visitor_id` names it when it is a stranger's."""
    stranger = visitor_owner(visitor_id)
    address = signed_in_address()
    if address is not None:
        if is_listed(address, access.users):
            return Visitor(user_owner(address), "user", address)
        return Visitor(stranger, "refused", address)
    verdict = _identified(access, pass_name)
    if verdict.caller == LOCAL:
        return Visitor(LOCAL_OWNER, "here")
    if verdict.caller is not None and verdict.caller.startswith(PASS):
        return Visitor(LOCAL_OWNER, "pass", pass_name=verdict.caller.removeprefix(PASS))
    if verdict.caller is not None:
        person = verdict.caller.removeprefix(USER)
        return Visitor(user_owner(person), "user", person)
    if verdict.refusal == "user":
        return Visitor(stranger, "refused", verdict.seen)
    if access.open:
        return Visitor(LOCAL_OWNER, "open")
    return Visitor(stranger, "stranger", verdict=verdict)


def new_visitor_id() -> str:
    """Return a name for a session that has none."""
    return uuid4().hex


@cache
def can_sign_in() -> bool:
    """Tell whether the owner has configured Streamlit's own sign-in (`[auth]`).

    Asked once a process: without a secrets file Streamlit looks for one, under a lock, each time,
    and fifty sessions that end together would wait for each other.
    """
    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError:
        return False


def signed_in_address() -> str | None:
    """Return the verified e-mail address of the person who signed in."""
    if not can_sign_in() or not st.user.is_logged_in:
        return None
    address = st.user.get("email")
    if not isinstance(address, str) or "@" not in address:
        return None
    # An address that the provider itself has not verified could be anybody's.
    return None if st.user.get("email_verified") is False else address


def _identified(access: AccessSettings, pass_name: PassLookup) -> Verdict:
    """Judge by the facts of the websocket, as the middleware of the server handed them on.

    In every run anew: settings may be read again, a pass taken back, a forwarder be noticed.
    """
    # Asked for once: Streamlit makes all of them anew for each look.
    named = st.context.headers
    headers = {name.lower(): ", ".join(named.get_all(name)) for name in named}
    if not headers:  # no browser at all: the script is run by a test
        return Verdict(LOCAL)
    peer = Peer.from_header(headers.pop(PEER_HEADER, None))
    if peer is None:
        # A host that only runs the script: who is connected nobody has looked at.
        return Verdict(None, "unseen")
    connection = ConnectionFacts.of(peer, headers)
    # The pages of another port of this host come with its cookies, too.
    is_own = is_own_page(connection)
    return identify(
        connection,
        Rules.of(access),
        forwarder=LATCH.sign,
        pass_name=pass_name(headers.get("cookie", "")) if is_own else None,
    )
