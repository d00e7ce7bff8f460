"""Lets the owner alone go on: front ends hold tokens, and everybody's questions are here."""

from core.access.callers import LOCAL, PASS
from core.web.http_call import HttpCall, HttpCallError


def require_owner(call: HttpCall) -> None:
    """Refuse who is neither at the owner's machine nor holds a pass of the owner's."""
    if call.caller != LOCAL and not call.caller.startswith(PASS):
        raise HttpCallError(403, "http.owner_only")
