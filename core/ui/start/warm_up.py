"""Does early what the first page view, or any later moment, would otherwise wait for."""

import gc

# Every 700 new objects, Python's own, are a few requests, most of which still serve: with hundreds
# of answers a tenth of all time went into looking through them in vain.
THRESHOLDS = (20_000, 20, 20)


def warm_up() -> None:
    """Put what the start has loaded out of the garbage collector's sight.

    It stays anyway: looked through again and again, it would hold up everything for 30 ms a time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
