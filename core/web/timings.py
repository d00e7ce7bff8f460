"""Timings of the HTTP layer: how long it waits for readers, and how long it says nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpTimings:
    """Seconds, all of them. Tests live faster."""

    # An answer whose last reader left is stopped after this. Browsers reconnect after RETRY_MS, and
    # once more at that pace if the line is still down.
    reader_grace_s: float = 10.0
    # A silent stream sends a comment so often: proxies close what says nothing for a minute.
    keep_alive_s: float = 15.0
