"""Who may call, and how much: asked before anything that can spend or read."""

from core.access.callers import Rules, is_shared_origin, judge
from core.settings import AccessSettings
from core.web.call import Call
from core.web.limits import Limits
from core.web.refusals import Denial, refused, too_many


class Guard:
    """Judges calls by the owner's configuration, and counts those that go on."""

    def __init__(self, access: AccessSettings, limits: Limits) -> None:
        self._rules = Rules(
            hosts=frozenset(access.hosts),
            origins=frozenset(access.origins),
            tokens={name: token.reveal() for name, token in access.tokens.items()},
        )
        self._limits = limits

    def judge(self, call: Call) -> tuple[str, None] | tuple[None, Denial]:
        """Return the caller whose request may go on, or why it may not."""
        verdict = judge(call.approach, self._rules)
        if verdict.caller is None:
            return None, refused(verdict, call.headers.get("accept-language"))
        return verdict.caller, None

    def enter(self, call: Call, caller: str) -> Denial | None:
        """Count a request that begins; a Denial when there are too many."""
        wait_s = self._limits.begin(caller)
        if wait_s is None:
            return None
        return too_many(wait_s, call.headers.get("accept-language"))

    def leave(self, caller: str) -> None:
        """Count a request that has ended."""
        self._limits.end(caller)

    def shares_with(self, call: Call) -> str | None:
        """Return the origin whose pages may read the reply, if the call names one that may."""
        origin = call.headers.get("origin")
        return origin if origin is not None and is_shared_origin(origin, self._rules) else None
