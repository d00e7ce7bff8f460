"""What a practice server has seen so far, for tests and for `GET /practice/counters`."""

from collections import Counter
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class PracticeCounters:
    """A snapshot; holds numbers and our callers' own task ids, nothing secret."""

    chat_requests: int = 0
    streams_open: int = 0
    streams_closed_early: int = 0
    tasks_accepted: int = 0
    submits_refused: dict[int, int] = field(default_factory=dict)
    polls: int = 0
    list_calls: int = 0
    picture_fetches: int = 0
    voices_open: int = 0
    voices_closed_early: int = 0
    accepted_by_external_task_id: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return the snapshot with JSON's own types (service codes become strings)."""
        refused = {str(code): times for code, times in self.submits_refused.items()}
        return {**asdict(self), "submits_refused": refused}


class Tally:
    """The running counts; written on the server's loop only."""

    def __init__(self) -> None:
        self.chat_requests = 0
        self.streams_open = 0
        self.streams_closed_early = 0
        self.is_closing = False
        self.polls = 0
        self.list_calls = 0
        self.picture_fetches = 0
        self.voices_open = 0
        self.voices_closed_early = 0
        self.tasks_accepted = 0
        self.submits_refused: Counter[int] = Counter()
        self.accepted_by_external_task_id: Counter[str] = Counter()

    def snapshot(self) -> PracticeCounters:
        """Return the counts as they stand."""
        return PracticeCounters(
            chat_requests=self.chat_requests,
            streams_open=self.streams_open,
            streams_closed_early=self.streams_closed_early,
            tasks_accepted=self.tasks_accepted,
            submits_refused=dict(self.submits_refused),
            polls=self.polls,
            list_calls=self.list_calls,
            picture_fetches=self.picture_fetches,
            voices_open=self.voices_open,
            voices_closed_early=self.voices_closed_early,
            accepted_by_external_task_id=dict(self.accepted_by_external_task_id),
        )
