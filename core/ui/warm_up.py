"""Does early what the first page view, or any later moment, would otherwise wait for."""

import gc
from importlib import import_module

# Every 700 new objects, Python's own, are a few requests, most of which still serve: with hundreds
# of answers a tenth of all time went into looking through them in vain.
THRESHOLDS = (20_000, 20, 20)


def warm_up() -> None:
    """Import what st.write_stream imports at its first call: pandas and pyarrow, half a second.

    What is loaded by then stays: the collector need not look through it again and again, which
    holds up everything for 30 ms each time.
    """
    for name in ("pandas", "pyarrow"):
        import_module(name)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
