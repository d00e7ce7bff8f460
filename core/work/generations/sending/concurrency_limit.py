"""How many slots a package of an account has, as far as acceptances and refusals have told.

Kling tells the cap to nobody (kling.md section 7), so two bounds are kept: with so many under way
the last one was accepted, and with so many it was refused. Between the two one is tried at a time;
beyond the refused one only now and then, since a cap can grow.

Tasks may have ended that we have not seen end, so an acceptance can show too much, and is taken
back at the first refusal. A refusal never shows too little.
"""

from collections.abc import Mapping
from typing import Any

PROBE_AFTER_S = 600.0
PROBE_AFTER_LONGEST_S = 6 * 3600.0
# What was accepted before may be refused for a while only: another program takes slots, or Kling
# is slow to give one back.
PROBE_AFTER_LOWERING_S = 120.0


class ConcurrencyLimit:
    """The learned cap, in slots. Pure: the moment is an argument."""

    def __init__(
        self,
        *,
        now: float,
        known: Mapping[str, Any] | None = None,
        probe_after_s: float = PROBE_AFTER_S,
    ) -> None:
        known = known or {}
        accepted, refused = known.get("accepted"), known.get("refused")
        self.accepted = accepted if isinstance(accepted, int) else 0
        self.refused = refused if isinstance(refused, int) else None
        self._first_probe_after_s = probe_after_s
        self._probe_after_s = probe_after_s
        self.probe_at = now + probe_after_s

    def figures(self) -> dict[str, object]:
        """Return what is worth remembering, for `known`."""
        return {"accepted": self.accepted, "refused": self.refused}

    def may_send(self, n: int, *, in_flight: int, sending: int, now: float) -> bool:
        """Return whether `n` more slots may be taken now."""
        total = in_flight + n
        if total <= self.accepted:
            return True
        if sending:
            return False
        if self.refused is None or total < self.refused or in_flight == 0:
            return True  # not known yet; or nothing to wait for
        return now >= self.probe_at and total == self.refused

    def note_accepted(self, total: int, *, now: float) -> None:
        """Note that `total` slots are in use together."""
        if total <= self.accepted:
            return
        self.accepted = total
        if self.refused is not None and total >= self.refused:
            self.refused = None  # the cap has grown: find out how far
            self._probe_after_s = self._first_probe_after_s
        self.probe_at = now + self._probe_after_s

    def note_refused(self, total: int, *, n: int, now: float) -> None:
        """Note that `n` slots more, `total` in all, were too many."""
        if total <= self.accepted:
            self.accepted, self.refused = total - n, total
            self.probe_at = now + min(PROBE_AFTER_LOWERING_S, self._probe_after_s)
            return
        if self.refused is not None and total >= self.refused:  # a probe
            self._probe_after_s = min(self._probe_after_s * 2, PROBE_AFTER_LONGEST_S)
        else:
            self.refused = total
        self.probe_at = now + self._probe_after_s
