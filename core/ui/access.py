"""Who sits before the page: decides whose things are shown and whether money may be spent.

Streamlit listens on every interface unless told otherwise. Who sits at this machine is its owner.
From elsewhere only practice is served, unless the owner has said otherwise in secrets: everyone
(`[access] open`), or people who signed in (`[auth]`, Streamlit's own OIDC, and `[access] users`).
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal
from uuid import uuid4

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from core.access.callers import is_from_here
from core.settings import AccessSettings
from core.work.owners import LOCAL_OWNER, user_owner, visitor_owner

Standing = Literal["here", "open", "user", "stranger", "refused"]

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose rows a session sees, and why it may or may not spend."""

    owner: str
    standing: Standing
    address: str | None = None  # of a person who signed in


def visitor(access: AccessSettings, visitor_id: str) -> Visitor:
    """Judge this session; `visitor_id` names it when it is a stranger's."""
    stranger = visitor_owner(visitor_id)
    address = signed_in_address()
    if address is not None:
        if is_listed(address, access.users):
            return Visitor(user_owner(address), "user", address)
        return Visitor(stranger, "refused", address)
    if _is_here(access):
        return Visitor(LOCAL_OWNER, "here")
    if access.open:
        return Visitor(LOCAL_OWNER, "open")
    return Visitor(stranger, "stranger")


def new_visitor_id() -> str:
    """Return a name for a session that has none."""
    return uuid4().hex


def is_listed(address: str, users: tuple[str, ...]) -> bool:
    """Tell whether an e-mail address is on the list, by itself or by its domain."""
    address = address.strip().lower()
    domain = address.rpartition("@")[2]
    return any(entry == address or entry.lstrip("@") == domain for entry in users)


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


def _is_here(access: AccessSettings) -> bool:
    headers = {name.lower(): value for name, value in st.context.headers.items()}
    if not headers:  # no browser at all: the script is run by a test
        return True
    # Streamlit says None for a visitor on loopback.
    return is_from_here(st.context.ip_address or LOOPBACK, headers, access.hosts)
