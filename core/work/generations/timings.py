"""How patient the picture worker is: every pause it makes, with its reason."""

from dataclasses import dataclass

from core.wire.pacing import POLL_LONGEST_S, POLL_SHORTEST_S


@dataclass(frozen=True, slots=True)
class WorkerTimings:
    """Seconds, all of them. Tests live faster; what is asked of Kling stays the same."""

    # A process that dies keeps its tasks for so long, as seen by another that looks four times as
    # often; one that lives renews as often, and lets go by itself when it could not. So another
    # process takes over within 50 s, and never while a POST of the first can still be on its way.
    lease_s: float = 30.0
    claim_every_s: float = 5.0
    # How soon a task Kling took can be found is not documented (kling.md section 12), nor how long
    # a gateway holds a request whose caller is gone. Waiting costs time, sending twice costs money.
    resend_after_s: float = 30.0
    resend_longest_s: float = 600.0
    lookup_every_s: float = 2.5
    # "Duplicate id" says that the task is there, so it is looked for much longer than elsewhere.
    duplicate_timeout_s: float = 600.0
    poll_shortest_s: float = POLL_SHORTEST_S
    poll_longest_s: float = POLL_LONGEST_S
    retry_first_s: float = 1.0
    retry_longest_s: float = 60.0
    # One picture of a finished task that does not come: its link is asked for anew each time.
    fetch_retry_longest_s: float = 300.0
    store_retry_longest_s: float = 5.0
    # "Back off exponentially from >= 1 s, or queue" (kling.md section 7).
    rest_first_s: float = 2.0
    rest_longest_s: float = 60.0

    @property
    def forget_after_s(self) -> float:
        """What Kling says that it does not have is believed once it has said so for this long: by
        the monotonic clock, since the other one may have jumped."""
        return self.duplicate_timeout_s


# The practice server is on this machine: what it took is there at once.
PRACTICE_TIMINGS = WorkerTimings(resend_after_s=3.0, lookup_every_s=1.0)
