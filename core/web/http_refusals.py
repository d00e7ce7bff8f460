"""Refusals: what to configure, or where to get in, in the language that a browser asks for."""

from dataclasses import dataclass

from core.access.callers import Refusal, Verdict
from core.access.network.host_names import can_be_this_machine
from core.models.access_scopes import ACCESS_SCOPES, AccessScopes
from core.texts.catalogue import Language, text
from core.web.http_errors import STORE_TEXT_ID

_STATUS: dict[Refusal, int] = {"token": 401}  # all others: 403
_SEEN_LIMIT = 120
STORE_WAIT_S = 2


@dataclass(frozen=True, slots=True)
class HttpRefusal:
    """Why a call goes no further."""

    status: int
    sentence: str
    retry_after_s: int | None = None


def refused(verdict: Verdict, language: Language) -> HttpRefusal:
    """Return what to tell a caller who may not come in; only for a verdict that refuses."""
    assert verdict.refusal is not None
    shown = "".join(sign for sign in verdict.seen[:_SEEN_LIMIT] if sign.isprintable())
    kind: str = verdict.refusal
    if kind == "host" and can_be_this_machine(verdict.seen):
        kind = "own_host"
    seen = shown or text(language, "refusal.unknown_place")
    sentence = text(language, f"refusal.{kind}", seen=seen)
    return HttpRefusal(_STATUS.get(verdict.refusal, 403), sentence)


def too_many(wait_s: int, language: Language) -> HttpRefusal:
    """Return what to tell a caller who has to wait."""
    return HttpRefusal(429, text(language, "refusal.too_many", wait_s=wait_s), retry_after_s=wait_s)


def out_of_scope(name: str, scopes: AccessScopes, language: Language) -> HttpRefusal:
    """Return what to tell the bearer of a token that is good for other things."""
    words = [text(language, f"refusal.scope_{one}") for one in ACCESS_SCOPES if one in scopes]
    joined = text(language, "refusal.scope_join").join(words)
    return HttpRefusal(403, text(language, "refusal.scope", name=name, scopes=joined))


def store_away(language: Language) -> HttpRefusal:
    """Return what to tell the bearer of a token while the store cannot be asked for it."""
    return HttpRefusal(503, text(language, STORE_TEXT_ID), retry_after_s=STORE_WAIT_S)
