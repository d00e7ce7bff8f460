"""Leases that nobody renews, told without any wall clock: by their standing still."""

from collections.abc import Callable, Mapping
from datetime import datetime


class StandingLeases:
    """Watches leases from call to call, by the monotonic clock.

    Whoever is alive writes another end into its lease several times while one lasts. What that end
    is says nothing: hosts at one database have clocks of their own, which jump and are set back.
    Only that it stands still tells the dead from the living, as seen by whoever watches. Who did
    not look for a while (its store was away, its machine stood still, and perhaps all the others'
    with it) begins anew: the living renew first.
    """

    def __init__(self, clock: Callable[[], float], *, lease_s: float) -> None:
        self._clock = clock
        self._lease_s = lease_s
        self._looked_at = clock()
        self._seen: dict[str, tuple[datetime, float]] = {}  # its end, and since when it is that

    def abandoned(self, ends: Mapping[str, datetime]) -> dict[str, datetime]:
        """Return those of `ends` that have stood as they are for as long as a lease lasts.

        To be called several times while one lasts.
        """
        now = self._clock()
        if now - self._looked_at > self._lease_s / 2:
            self._seen = {}
        self._looked_at = now
        before, self._seen = self._seen, {}
        for lease_id, end in ends.items():
            known = before.get(lease_id)
            self._seen[lease_id] = known if known is not None and known[0] == end else (end, now)
        return {
            lease_id: end
            for lease_id, (end, since) in self._seen.items()
            if now - since >= self._lease_s
        }
