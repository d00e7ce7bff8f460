"""Refusals: what to configure, or where to get in, in the language that a browser asks for."""

from dataclasses import dataclass

from core.access.callers import Refusal, Verdict, can_be_this_machine
from core.texts.catalogue import Language, text

_STATUS: dict[Refusal, int] = {"token": 401}  # all others: 403
_SEEN_LIMIT = 120


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
