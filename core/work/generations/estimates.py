"""How long a picture takes here, from this installation's own finished tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

# With fewer finished tasks of the same kind, a figure would be a guess.
LEAST_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds from submission to the end: half of all tasks took less."""

    median_s: float
    samples: int


def estimate(durations_s: Sequence[float]) -> Estimate | None:
    """Return what `durations_s` say, or None when they are too few."""
    if len(durations_s) < LEAST_SAMPLES:
        return None
    return Estimate(median_s=median(durations_s), samples=len(durations_s))


def fastest_s(durations_s: Sequence[float]) -> float | None:
    """Return what only one in ten undercut: before that, looking is of little use."""
    if len(durations_s) < LEAST_SAMPLES:
        return None
    return quantiles(durations_s, n=10, method="inclusive")[0]
