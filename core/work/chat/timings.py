"""Timings of an answer: when it is asked for again, saved, and taken for dead."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerTimings:
    """Seconds, but for `retries`. Tests live faster; what may be asked twice stays the same."""

    # How often more a refused request is sent, before the first text; delays double and are spread.
    retries: int = 2
    retry_first_s: float = 0.5
    # So long in all an answer waits because its provider asks for it (Retry-After). Who is asked to
    # wait longer is told at once, with the wait.
    retry_after_limit_s: float = 60.0
    # A killed process loses at most this and the time that a write takes.
    save_interval_s: float = 0.5
    # A process that dies keeps its running answers for so long, as seen by those that look every
    # `sweep_s`.
    lease_s: float = 15.0
    sweep_s: float = 5.0
