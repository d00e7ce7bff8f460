"""What it takes to ask: the same for a question in a kept conversation and for a posted chat."""

from collections.abc import Callable
from dataclasses import dataclass

from core.errors import InputError
from core.models.chat import ChatParameters
from core.models.parts import LookupPart
from core.storage.store import Store
from core.work.chat.models import ChatModels
from core.work.chat.runner import AnswerRunner
from core.work.chat.service import ChatService
from core.work.chat.timings import AnswerTimings
from core.work.money.spending import Spending
from core.work.tools.studio_tools import StudioTools
from core.work.web.looks import Looks

# What a person may ask in one message; DeepSeek's context is 1,048,576 tokens (deepseek.md §1).
QUESTION_LIMIT = 400_000


@dataclass(frozen=True, slots=True)
class Means:
    """The store, the providers and the money that questions of one process are asked by."""

    store: Store
    process_id: str
    service: Callable[[str], ChatService]
    models: Callable[[], ChatModels]
    spending: Spending
    looks: Looks
    tools: StudioTools
    runner: AnswerRunner
    timings: AnswerTimings

    def search(self, owner: str, parameters: ChatParameters, words: str) -> LookupPart | None:
        """Return the search that is made before the answer; only DeepSeek has that."""
        is_wanted = parameters.search and self.service(owner).client.server.speaks_deepseek
        return LookupPart("search", words) if is_wanted else None


def checked(question: str) -> str:
    """Return a question that may be asked; InputError for one that is empty or too long."""
    if not question.strip():
        raise InputError("question", "error.question_empty")
    if len(question) > QUESTION_LIMIT:
        raise InputError(
            "question",
            "error.question_too_long",
            facts={"count": len(question), "limit": QUESTION_LIMIT},
        )
    return question
