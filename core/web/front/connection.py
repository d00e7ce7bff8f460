"""A connection's facts as the ASGI server tells them, looked at before anything is served."""

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.types import Receive, Scope

from core.access.connection import ConnectionFacts
from core.access.forwarders import LATCH
from core.access.forwarding import forwarding_sign, is_listed_proxy
from core.access.network.peer import PEER_HEADER, Peer, look_at
from core.access.network.sock_diag import Address
from core.settings import AccessSettings

PEER_KEY = "inkling.peer"
HEADERS_KEY = "inkling.headers"
_PEER_NAME = PEER_HEADER.encode()


def with_peer(scope: Scope, receive: Receive, access: AccessSettings | None) -> Scope:
    """Return the scope with the peer's facts in it, and with the headers by their names.

    The header that names a person is taken away from all but the listed proxies; as long as the
    settings are not known (`access` is None) the judgement does without it all the same.
    """
    if scope["type"] not in ("http", "websocket"):
        return scope
    peer = peer_of(scope, receive)
    headers = headers_of(scope["headers"])
    connection = ConnectionFacts.of(peer, headers)
    LATCH.notice(peer, forwarding_sign(connection))
    taken = [PEER_HEADER]
    if access and access.user_header and not is_listed_proxy(connection, access.proxies):
        taken.append(access.user_header)
    body = {**scope, PEER_KEY: peer, HEADERS_KEY: headers}
    present = {name.encode("latin-1") for name in taken if headers.pop(name, None) is not None}
    if present:
        body["headers"] = [pair for pair in scope["headers"] if _plain(pair[0]) not in present]
    return body


def for_script(scope: Scope) -> Scope:
    """Return the scope of `with_peer` as the pages' script is given it: the peer in a header.

    Who sends that header says nothing by it.
    """
    body = (_PEER_NAME, scope[PEER_KEY].to_header().encode("ascii"))
    return {**scope, "headers": [*scope["headers"], body]}


def peer_of(scope: Mapping[str, Any], receive: Receive) -> Peer:
    """Return what can be told of the other end of the connection at this moment."""
    client, server = _ends(scope, receive)
    is_rewritten = False
    if client is None:
        client, server = _pair(scope.get("client")), _pair(scope.get("server"))
        # No connection has port 0: the server has put a forwarding header's address there. With a
        # port in that header it looks like a connection, and that none such is there tells it.
        has_header = any(_plain(name) == b"x-forwarded-for" for name, _ in scope["headers"])
        is_rewritten = client is not None and (client[1] == 0 or has_header)
    return look_at(
        client,
        server,
        http_version=str(scope.get("http_version", "1.1")),
        is_rewritten=is_rewritten,
    )


def headers_of(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by their names in small letters."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        # A repeated one is kept whole: half of it must not pass for all.
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _ends(scope: Mapping[str, Any], receive: Receive) -> tuple[Address | None, Address | None]:
    """Return both ends from the transport itself, where the server lets it be seen.

    uvicorn replaces `client` by what X-Forwarded-For says, without a trace of the peer.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None or not callable(getattr(transport, "get_extra_info", None)):
        return None, None
    peer = _pair(transport.get_extra_info("peername"))
    return peer, _pair(transport.get_extra_info("sockname")) or _pair(scope.get("server"))


def _pair(address: object) -> Address | None:
    if not isinstance(address, tuple | list) or len(address) < 2:
        return None
    host, port = address[:2]
    return (host, port) if isinstance(host, str) and isinstance(port, int) else None


def _plain(name: bytes) -> bytes:
    return bytes(name).lower()
