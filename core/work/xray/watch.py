"""Watches the exchanges with providers while the setting says so."""

from collections.abc import Callable

from core.providers.http.exchanges import observe
from core.work.xray.ring import ExchangeRing


class ExchangeWatch:
    """The ring of this studio, and whether it is told anything."""

    def __init__(self) -> None:
        self.ring = ExchangeRing()
        self._stop: Callable[[], None] | None = None

    @property
    def is_on(self) -> bool:
        """Whether exchanges are kept."""
        return self._stop is not None

    def set(self, *, on: bool) -> None:
        """Begin or end to keep exchanges; ending forgets what was kept."""
        if on and self._stop is None:
            self._stop = observe(self.ring.add)
        elif not on and self._stop is not None:
            self._stop()
            self._stop = None
            self.ring.clear()
