"""Origin of the pages' websocket: Streamlit judges it, but for what it cannot read."""

from urllib.parse import urlsplit

from starlette.types import Scope

from core.web.front.connection import HEADERS_KEY


def is_readable_origin(scope: Scope) -> bool:
    """Tell whether the Origin of a request can be taken apart; Streamlit ends in a traceback else.

    A request without one is a program's, and Streamlit's to judge.
    """
    try:
        parts = urlsplit(scope[HEADERS_KEY].get("origin", ""))
        return (parts.hostname, parts.port) is not None
    except ValueError:
        return False
