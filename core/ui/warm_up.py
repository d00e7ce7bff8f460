"""Does early what the first page view, or any later moment, would otherwise wait for."""

import gc
from importlib import import_module

# As later Pythons have it: every 700 new objects are a few requests, and most of them still serve.
COLLECT_EVERY = 2_000


def warm_up() -> None:
    """Import what st.write_stream imports at its first call: pandas and pyarrow, half a second.

    What is loaded by then stays: the collector need not look through it again and again, which
    holds up everything for 30 ms each time.
    """
    for name in ("pandas", "pyarrow"):
        import_module(name)
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, *gc.get_threshold()[1:])
