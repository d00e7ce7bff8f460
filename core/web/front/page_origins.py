"""Origin check of the pages' websocket: which other pages may open one.

Streamlit checks it as well, but asks a host on the internet for this machine's address to compare
with an origin that it does not know, each time, and holds up every stream until that has answered.
"""

import logging
from collections.abc import Callable, Collection

from starlette.types import Scope

from core.access.network.host_names import split_address
from core.web.front.connection import HEADERS_KEY

logger = logging.getLogger(__name__)

_OF_THIS_MACHINE = ("localhost", "127.0.0.1", "0.0.0.0")
_TOLD_CHARS = 200

PageHosts = Callable[[], Collection[str] | None]


def may_open_pages(scope: Scope, page_hosts: PageHosts) -> bool:
    """Tell whether who opens a websocket may: programs, its own pages, and those of known hosts.

    `page_hosts` returns the names of further hosts whose pages may; None: those of all.
    """
    headers = scope[HEADERS_KEY]
    origin = headers.get("origin")
    if origin is None:
        return True
    parts = split_address(origin.strip().lower())
    if parts is not None:
        _, name, place = parts
        if place == headers.get("host", "").strip().lower() or name in _OF_THIS_MACHINE:
            return True
    hosts = page_hosts()
    if hosts is None or (parts is not None and parts[1] in hosts):
        return True
    logger.warning(
        "A page of %r may not open the studio. If it is the studio's own, behind a proxy, have the "
        "proxy pass Host on, or list the page in Streamlit's server.corsAllowedOrigins",
        origin[:_TOLD_CHARS],
    )
    return False
