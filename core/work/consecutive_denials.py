"""How often in a row, and for how long, a provider has denied something: by the monotonic clock."""

from collections.abc import Callable


class ConsecutiveDenials:
    """One denial may be a slip; the same word for long enough is the provider's own."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = 0.0
        self.times = 0

    def note(self, *, is_denied: bool) -> None:
        """Count an answer that denies it; any other begins anew."""
        if is_denied and not self.times:
            self._since = self._clock()
        self.times = self.times + 1 if is_denied else 0

    @property
    def for_s(self) -> float:
        """For how long it has been denied, in seconds."""
        return self._clock() - self._since if self.times else 0.0
