"""The chat side of a studio: a loop, a store and answers that ask a server over real sockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from core.models.chat import AnswerStatus, ChatParameters, Conversation, Message, Turn
from core.practice.settings import PRACTICE_CHAT_KEY
from core.providers.deepseek.client import DeepSeek
from core.providers.deepseek.timeouts import StreamTimers
from core.settings.money import MoneySettings
from core.storage.store import Store
from core.work.chat.answers import Answers
from core.work.chat.live_answer import LiveAnswer
from core.work.chat.service import ChatService
from core.work.chat.timings import AnswerTimings
from core.work.loop import LoopThread
from core.work.money.spending import Spending
from tests.waiting import PATIENCE_S

OWNER = "local"
PLAIN = ChatParameters()
QUICK = AnswerTimings(retry_first_s=0.01)


@dataclass
class Asker:
    """One process's answers, and what a page would do with them."""

    answers: Answers
    store: Store
    loop: LoopThread

    def conversation(self) -> Conversation:
        return self.store.conversations.create(OWNER)

    def again(self, conversation: Conversation) -> Conversation:
        found = self.store.conversations.get(OWNER, conversation.id)
        assert found is not None
        return found

    def ask(
        self,
        question: str,
        conversation: Conversation | None = None,
        parameters: ChatParameters = PLAIN,
    ) -> LiveAnswer:
        return self.answers.ask(OWNER, conversation or self.conversation(), question, parameters)

    def ask_posted(self, question: str) -> LiveAnswer:
        return self.answers.ask_posted(OWNER, [Turn.of_text("user", question)], PLAIN)

    def stored(self, live: LiveAnswer) -> Message:
        message = self.store.messages.get(OWNER, live.message_id)
        assert message is not None
        return message

    def ended(self, live: LiveAnswer) -> Message:
        """Return the answer as it is kept, once it has ended."""
        assert live.saved.wait(PATIENCE_S), "the answer did not end"
        return self.stored(live)

    def answered(
        self,
        question: str,
        conversation: Conversation | None = None,
        parameters: ChatParameters = PLAIN,
    ) -> Message:
        return self.ended(self.ask(question, conversation, parameters))

    def path(self, conversation: Conversation) -> tuple[Message, ...]:
        return self.store.messages.path(OWNER, conversation.id)


@contextmanager
def answering(
    folder: Path,
    url: str,
    *,
    practice: bool = True,
    timers: StreamTimers | None = None,
    busy_timeout_s: float = 15.0,
    timings: AnswerTimings = QUICK,
) -> Iterator[Asker]:
    """Open an Asker that asks the server at `url`; closing it ends what still runs."""
    loop = LoopThread()
    store = Store.open(folder / "inkling.sqlite3", busy_timeout_s=busy_timeout_s)
    client = DeepSeek(url=url, api_key=PRACTICE_CHAT_KEY, practice=practice, timers=timers)
    service = ChatService(client=client, practice=practice, provider="deepseek")
    answers = Answers(
        loop=loop,
        store=store,
        process_id=uuid4().hex,
        service=lambda _owner: service,
        spending=Spending(MoneySettings, lambda _provider: "CNY"),
        timings=timings,
    )
    answers.start()
    try:
        yield Asker(answers, store, loop)
    finally:
        answers.close()
        loop.call(client.aclose())
        loop.close()
        store.close()


def is_running(message: Message) -> bool:
    return message.status is AnswerStatus.RUNNING
