"""What a reader of another chat's export hands over, before it is ours: source ids, loose times."""

from dataclasses import dataclass, field
from datetime import datetime

from core.models.chat import AnswerStatus, Role

# A whole conversation is held while it is put in order: characters, and a hundred for each value.
MOST_WEIGHT = 32 << 20
# LibreChat's trees nest two levels for each message.
DEEPEST = 20_000


class EntryRefusedError(Exception):
    """One conversation cannot be read; the others can. `problem` is a word of the catalogue."""

    def __init__(self, problem: str, title: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.title = title


@dataclass(slots=True)
class ForeignMessage:
    """One message as its own app names it; `parent` is the source's id of the one before."""

    id: str
    parent: str | None
    role: Role
    content: str = ""
    reasoning: str = ""
    at: datetime | None = None
    model: str | None = None
    status: AnswerStatus = AnswerStatus.COMPLETE
    reasoning_s: float | None = None


@dataclass(slots=True)
class ForeignConversation:
    """A conversation as its own app names it; messages in any order, siblings in theirs."""

    kind: str
    id: str
    title: str
    messages: list[ForeignMessage]
    created_at: datetime | None = None
    updated_at: datetime | None = None
    head: str | None = None  # None: the branch that was written last
    system_prompt: str = ""


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """An entry that did not come in: which of the file's, its title where it has one, and why."""

    number: int
    title: str
    problem: str


@dataclass(slots=True)
class Problems:
    """What did not come in: all are counted, the first are named."""

    count: int = 0
    named: list[ImportProblem] = field(default_factory=list)

    def note(self, problem: ImportProblem) -> None:
        """Count one, and name it while there are few."""
        self.count += 1
        if len(self.named) < NAMED_MOST:
            self.named.append(problem)


NAMED_MOST = 20
