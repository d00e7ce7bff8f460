"""Base URLs by which other devices reach the studio: for links that are opened elsewhere."""

import sys
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import streamlit as st
from streamlit import config

from core.access.invitations import CODE_PARAMETER, PATH
from core.access.network.addresses import is_loopback, parse
from core.access.network.lan import lan_addresses, own_addresses
from core.ui.start.configuration import base_url_path

_EVERY_ADDRESS = (None, "", "0.0.0.0", "::")
_UNIX_SOCKET = "unix://"


def is_http_served() -> bool:
    """Tell whether the HTTP layer stands before these pages."""
    # The server imports core.web; a host that only runs the script never does.
    return "core.web.server" in sys.modules


def own_entrance() -> str | None:
    """Return where this visitor can show a token; None where that leads to nothing.

    Streamlit Community Cloud passes no cookie of ours on: there people sign in.
    """
    host = urlsplit(st.context.url or "").hostname or ""
    if not is_http_served() or host.endswith(".streamlit.app"):
        return None
    return f"{_below()}{PATH}"


def listens_here_only() -> bool:
    """Tell whether the server takes connections of this machine alone (server.address)."""
    return _is_this_machine(st.get_option("server.address"))


def bases(visited: str | None) -> tuple[str, ...]:
    """Return where the studio is for others: by the address that this visit came by, if it can be.

    Empty where no other device can reach it.
    """
    parts = urlsplit(visited or "")
    below = _below()
    if parts.scheme and parts.hostname and not _is_this_machine(parts.hostname):
        return (f"{parts.scheme}://{parts.netloc}{below}",)
    return _listening_at(lan_addresses)


def printed_bases() -> tuple[str, tuple[str, ...]]:
    """Return where the studio is for a browser on this machine, and by each of its addresses.

    Where it listens at one address alone, or is told by which name it is reached
    (browser.serverAddress), that is the only one.
    """
    address = str(st.get_option("server.address") or "")
    if config.is_manually_set("browser.serverAddress"):
        name, port = st.get_option("browser.serverAddress"), st.get_option("browser.serverPort")
        scheme, _, host = str(name).rpartition("://")
        return f"{scheme or _scheme()}://{_in_url(host)}:{port}{_below()}", ()
    if address.startswith(_UNIX_SOCKET):
        return address, ()
    if address not in _EVERY_ADDRESS and not listens_here_only():
        return _listening_at(own_addresses)[0], ()
    local = f"{_scheme()}://localhost:{st.get_option('server.port')}{_below()}"
    return local, _listening_at(own_addresses)


def entrance(base: str, code: str) -> str:
    """Return the one-time link of a code."""
    return f"{base}{PATH}?{CODE_PARAMETER}={code}"


def _listening_at(addresses: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    port, address = st.get_option("server.port"), st.get_option("server.address")
    if listens_here_only() or str(address).startswith(_UNIX_SOCKET):
        return ()
    hosts = addresses() if address in _EVERY_ADDRESS else (str(address),)
    return tuple(f"{_scheme()}://{_in_url(host)}:{port}{_below()}" for host in hosts)


def _scheme() -> str:
    return "https" if st.get_option("server.sslCertFile") else "http"


def _below() -> str:
    return "".join(f"/{quote(part)}" for part in base_url_path().split("/") if part)


def _is_this_machine(host: str | None) -> bool:
    return host is not None and (host.lower() == "localhost" or is_loopback(host))


def _in_url(host: str) -> str:
    parsed = parse(host)
    return f"[{host}]" if parsed is not None and ":" in host else host
