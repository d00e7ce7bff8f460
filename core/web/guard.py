"""Who may call, and how much: asked before anything that can spend or read."""

from dataclasses import dataclass

from core.settings import AccessSettings
from core.web.call import Call
from core.web.limits import Limits
from core.wire.callers import (
    Refusal,
    Rules,
    Verdict,
    is_shared_origin,
    judge,
)

_SENTENCES: dict[Refusal, tuple[int, str]] = {
    "elsewhere": (
        403,
        "This call comes from another machine ({seen}), and those need an access token: set "
        "INKLING_TOKENS to name:token where the studio runs, restart it, and send the token as "
        "Authorization: Bearer, or as ?access_token= where headers cannot be set.",
    ),
    "token": (
        401,
        "This access token is not one of those in INKLING_TOKENS; check it, or add it there and "
        "restart the studio.",
    ),
    "host": (
        403,
        "The studio is not known as {seen}; to allow this name, add it to hosts under [access] in "
        ".streamlit/secrets.toml and restart the studio.",
    ),
    "origin": (
        403,
        "Pages of {seen} may not call the studio; to allow them, add that origin to origins under "
        "[access] in .streamlit/secrets.toml and restart the studio.",
    ),
}
_SEEN_LIMIT = 120


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a call goes no further."""

    status: int
    sentence: str
    retry_after_s: int | None = None


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
            return None, _denial(verdict)
        return verdict.caller, None

    def enter(self, caller: str) -> Denial | None:
        """Count a request that begins; a Denial when there are too many."""
        wait_s = self._limits.begin(caller)
        if wait_s is None:
            return None
        return Denial(
            429, f"Too many requests at once or in a minute; wait {wait_s} s.", retry_after_s=wait_s
        )

    def leave(self, caller: str) -> None:
        """Count a request that has ended."""
        self._limits.end(caller)

    def shares_with(self, call: Call) -> str | None:
        """Return the origin whose pages may read the reply, if the call names one that may."""
        origin = call.headers.get("origin")
        return origin if origin is not None and is_shared_origin(origin, self._rules) else None


def _denial(verdict: Verdict) -> Denial:
    assert verdict.refusal is not None
    status, sentence = _SENTENCES[verdict.refusal]
    shown = "".join(sign for sign in verdict.seen[:_SEEN_LIMIT] if sign.isprintable())
    return Denial(status, sentence.format(seen=shown or "an unknown place"))
