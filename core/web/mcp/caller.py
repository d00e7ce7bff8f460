"""Who calls a tool: what the guard found out of the request that carries the call."""

from dataclasses import dataclass
from typing import Any

from core.models.access_scopes import AccessScope, AccessScopes
from core.texts.catalogue import Language, text
from core.web.http_call import HttpCall

SCOPE_KEY = "inkling.caller"  # in the ASGI scope that the protocol's library is given


class RefusedError(Exception):
    """A tool that is not to be used so; its words go to the model, and to whoever reads along."""


@dataclass(frozen=True, slots=True)
class ToolCaller:
    """Whose rows a tool is about, who spends, what they may do, and what they read."""

    owner: str
    caller: str
    scopes: AccessScopes | None  # None: all
    language: Language

    @classmethod
    def of(cls, call: HttpCall) -> "ToolCaller":
        """Return who makes a call that the guard has let in."""
        return cls(call.owner, call.caller, call.scopes, call.language)

    def want(self, *scopes: AccessScope) -> None:
        """Raise RefusedError where none of these is among what the caller may do."""
        if self.scopes is not None and self.scopes.isdisjoint(scopes):
            wanted = ", ".join(scopes)
            raise RefusedError(text(self.language, "mcp.out_of_scope", wanted=wanted))

    def text(self, text_id: str, **facts: object) -> str:
        """Return a sentence in their language."""
        return text(self.language, text_id, **facts)


def caller_of(scope: Any) -> ToolCaller:
    """Return who makes the request of an ASGI scope."""
    found = scope[SCOPE_KEY]
    assert isinstance(found, ToolCaller)
    return found
