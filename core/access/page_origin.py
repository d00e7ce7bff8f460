"""Origin check: which pages may send a request, and read what comes."""

from core.access.connection import ConnectionFacts, Rules
from core.access.forwarding import scheme_of
from core.access.network.host_names import is_loopback_host, split_address


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
    if site == "same-site" and not (host_is_known and is_loopback_host(headers.get("host", ""))):
        return False  # a sister domain is another page; on loopback it is only another port
    if site is None and (referer := headers.get("referer")):
        # Old browsers, and hosts that are not https: all there is to go by.
        return is_allowed_origin(_origin_of(referer), connection, rules)
    return True


def is_allowed_origin(origin: str, connection: ConnectionFacts, rules: Rules) -> bool:
    """Tell whether pages of `origin` may call: loopback's, the listed ones, and our own."""
    if is_shared_origin(origin, rules):
        return True
    parts = split_address(origin.strip().lower())
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
    parts = split_address((named or headers.get("referer", "")).strip().lower())
    own_host = headers.get("host", "").strip().lower()
    return parts is not None and parts[0] in ("http", "https") and parts[2] == own_host


def is_shared_origin(origin: str, rules: Rules) -> bool:
    """Tell whether pages of another origin than our own may call, and read what comes."""
    asked = origin.strip().lower()
    parts = split_address(asked)
    return asked in rules.origins or (
        parts is not None and parts[0] == "http" and parts[1] in ("localhost", "127.0.0.1")
    )


def page_of(connection: ConnectionFacts) -> str:
    """Return the page that sends a request, as far as it says so."""
    headers = connection.headers
    return (
        headers.get("origin")
        or _origin_of(headers.get("referer", ""))
        or headers.get("sec-fetch-site", "")
    )


def _origin_of(url: str) -> str:
    parts = split_address(url.strip().lower())
    return f"{parts[0]}://{parts[2]}" if parts else ""
