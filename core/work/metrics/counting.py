"""Counters and histograms that cost next to nothing: a lock and an addition, once a request."""

import threading
from bisect import bisect_left
from collections.abc import Sequence

Labels = tuple[str, ...]

REQUEST_BOUNDS_S = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0)
QUICK_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Counts:
    """How often something happened, by its labels. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Labels, int] = {}

    def add(self, *labels: str) -> None:
        """Count one more."""
        with self._lock:
            self._counts[labels] = self._counts.get(labels, 0) + 1

    def read(self) -> dict[Labels, int]:
        """Return all counts as they stand."""
        with self._lock:
            return dict(self._counts)


class Times:
    """A histogram of seconds, by labels. Thread-safe."""

    def __init__(self, bounds_s: Sequence[float] = REQUEST_BOUNDS_S) -> None:
        self._bounds = tuple(bounds_s)
        self._lock = threading.Lock()
        self._found: dict[Labels, tuple[list[int], list[float]]] = {}

    def add(self, seconds: float, *labels: str) -> None:
        """Note how long one took."""
        with self._lock:
            if (known := self._found.get(labels)) is None:
                known = self._found[labels] = ([0] * (len(self._bounds) + 1), [0.0])
            buckets, total = known
            buckets[bisect_left(self._bounds, seconds)] += 1
            total[0] += seconds

    def read(self) -> dict[Labels, tuple[list[tuple[str, float]], float]]:
        """Return for each what Prometheus wants: how many up to each bound, and the sum."""
        with self._lock:
            found = {labels: (list(one[0]), one[1][0]) for labels, one in self._found.items()}
        names = [*(repr(bound) for bound in self._bounds), "+Inf"]
        read = {}
        for labels, (buckets, total) in found.items():
            up_to, so_far = [], 0
            for name, count in zip(names, buckets, strict=True):
                so_far += count
                up_to.append((name, float(so_far)))
            read[labels] = (up_to, total)
        return read
