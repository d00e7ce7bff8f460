"""Who calls a tool: the HTTP request that carries the call, as the guard has let it in."""

from typing import Any

from core.models.access_scopes import AccessScope
from core.texts.catalogue import text
from core.web.http_call import HttpCall

SCOPE_KEY = "inkling.call"  # in the ASGI scope that the protocol's library is given


class RefusedError(Exception):
    """A tool that is not to be used so; its words go to the model, and to whoever reads along."""


def call_of(scope: Any) -> HttpCall:
    """Return the HTTP request of an ASGI scope."""
    found = scope[SCOPE_KEY]
    assert isinstance(found, HttpCall)
    return found


def want(call: HttpCall, *scopes: AccessScope) -> None:
    """Raise RefusedError where none of these is among what the caller may do."""
    if call.scopes is not None and call.scopes.isdisjoint(scopes):
        raise RefusedError(text(call.language, "mcp.out_of_scope", wanted=", ".join(scopes)))
