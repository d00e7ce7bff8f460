"""Access tokens that a request presents, and whose they are."""

import hmac
from collections.abc import Collection
from dataclasses import replace

from core.access.connection import ConnectionFacts, Rules


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
