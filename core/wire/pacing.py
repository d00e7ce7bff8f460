"""When to ask again: poll intervals while work goes on, retry delays after a failure."""

from collections.abc import Callable, Iterator
from random import Random

# Kling names no limit for queries; clients in the field ask every 1-5 s (kling.md section 5).
POLL_SHORTEST_S = 1.5
POLL_LONGEST_S = 15.0
# The next look comes after this part of the age: whatever the task takes, the picture is seen
# at most about a tenth of that late.
POLL_SHARE_OF_AGE = 0.1

RETRY_FIRST_S = 0.5
RETRY_LONGEST_S = 30.0
# A server that wants a longer rest than this is obeyed by giving up, not by asking early.
RETRY_AFTER_LIMIT_S = 120.0

JITTER = 0.2


def poll_delays(
    random: Random,
    *,
    age_s: float = 0.0,
    shortest_s: float = POLL_SHORTEST_S,
    longest_s: float = POLL_LONGEST_S,
    share_of_age: float = POLL_SHARE_OF_AGE,
    jitter: float = JITTER,
) -> Iterator[float]:
    """Yield seconds to wait before each next look at something that is `age_s` old now.

    Intervals grow with the age, never leave the two bounds, and are spread by up to `jitter`.
    """
    while True:
        interval_s = min(max(age_s * share_of_age, shortest_s), longest_s)
        # Spread towards the inside of the bounds: a hundred tasks started at once drift apart.
        delay_s = interval_s * _spread(random, jitter)
        if delay_s < shortest_s:
            delay_s = shortest_s * (1 + jitter * random.random())
        elif delay_s > longest_s:
            delay_s = longest_s * (1 - jitter * random.random())
        delay_s = min(max(delay_s, shortest_s), longest_s)
        yield delay_s
        age_s += delay_s


def retry_delays(
    random: Random,
    *,
    attempts: int | None = None,
    first_s: float = RETRY_FIRST_S,
    longest_s: float = RETRY_LONGEST_S,
    retry_after_s: Callable[[], float | None] | None = None,
    retry_after_limit_s: float = RETRY_AFTER_LIMIT_S,
    jitter: float = JITTER,
) -> Iterator[float]:
    """Yield seconds to wait before each retry: doubling, capped, spread by up to `jitter`.

    `retry_after_s` is asked before each delay for the server's own Retry-After, never undercut;
    one beyond `retry_after_limit_s` ends them. `attempts` counts retries, None is endless.
    """
    backoff_s = first_s
    made = 0
    while attempts is None or made < attempts:
        requested_s = (retry_after_s() if retry_after_s else None) or 0.0
        if requested_s > retry_after_limit_s:
            return
        delay_s = min(backoff_s * _spread(random, jitter), longest_s)
        # Everyone who was told the same second would come back in it: spread upwards only.
        yield max(delay_s, requested_s * (1 + jitter * random.random()))
        backoff_s = min(backoff_s * 2, longest_s)
        made += 1


def _spread(random: Random, jitter: float) -> float:
    return 1 + jitter * (2 * random.random() - 1)
