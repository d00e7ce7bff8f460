"""The name a conversation gets from the model once its first question is answered."""

import asyncio
import logging

from core.errors import AppError
from core.models.chat import ChatParameters, Message, Turn
from core.models.money.ledger import Reservation, Spender
from core.providers.deepseek.client import DeepSeek
from core.providers.http.exchanges import mark_exchanges
from core.storage.store import Store
from core.wire.masking.secrets import known_secrets
from core.wire.words.sorted_words import sort_words
from core.work.money.paid_calls import paid_call
from core.work.money.spending import Spending

logger = logging.getLogger(__name__)

# Lists and heads clip a title by their width.
LONGEST_CHARACTERS = 80
_PROMPT = (
    "Give the conversation a title: at most 8 words, or 14 Chinese characters, in the language of "
    "the user's message. Answer with the title alone, without quotes or a full stop."
)
_SOURCE_CHARACTERS = 2_000
_TOKENS = 60
TITLE = "title:"  # before the ledger's line of a title, where its exchanges are marked
_WRAPPING = "\"'“”‘’《》「」。.#* "


class Titles:
    """Writes titles, and tells whose title is still to come."""

    def __init__(self, store: Store, spending: Spending) -> None:
        self._store = store
        self._spending = spending
        self._awaited: set[str] = set()

    def await_for(self, conversation_id: str) -> None:
        """Note that a title is to come: pages that see the answer's end then look out for it."""
        self._awaited.add(conversation_id)

    def give_up(self, conversation_id: str) -> None:
        """Note that no title is to come any more."""
        self._awaited.discard(conversation_id)

    def is_awaited(self, conversation_id: str) -> bool:
        """Tell whether the title may still change; from any thread."""
        return conversation_id in self._awaited

    async def write(
        self, answer: Message, spender: Spender, provider: str, client: DeepSeek
    ) -> None:
        """Have the model name the conversation; failing, or without money for it, nothing changes.

        The model is the one that was asked, whatever the provider called it.
        """
        owner, conversation_id = spender.owner, answer.conversation_id
        model = answer.parameters.model if answer.parameters else answer.model or ""
        try:
            path = await asyncio.to_thread(
                self._store.messages.path, owner, conversation_id, head_id=answer.id
            )
            question = next((message.content for message in path if message.role == "user"), "")
            asked = _Asked(question[:_SOURCE_CHARACTERS], model)
            held = self._spending.for_side_call(
                spender,
                provider,
                asked.parameters,
                asked.turns,
                "title",
                conversation_id=conversation_id,
            )
            said = await self._ask(client, asked, held)
            if title := better_title(said, question):
                await asyncio.to_thread(
                    self._store.conversations.rename, owner, conversation_id, title, manual=False
                )
        except AppError as error:
            logger.info("Conversation %s keeps its title: %s", conversation_id, error.text_id)

    async def _ask(self, client: DeepSeek, asked: "_Asked", held: Reservation) -> str:
        mark_exchanges(f"{TITLE}{held.line.id}")
        async with paid_call(self._store.ledger, held) as call:
            whole = await client.complete(asked.turns, asked.parameters)
            call.settle = self._spending.words_settled(whole.content, whole.extras.usage)
        return sort_words(whole.content).content


class _Asked:
    """What the model is asked for a title."""

    def __init__(self, question: str, model: str) -> None:
        self.turns = [Turn.of_text("system", _PROMPT), Turn.of_text("user", question)]
        self.parameters = ChatParameters(model=model, thinking=False, max_tokens=_TOKENS)


def better_title(said: str, question: str) -> str:
    """Return the title a model gave, or the question where that is only its beginning."""
    title = shortened(said.strip().strip(_WRAPPING))
    asked = shortened(question)
    return asked if asked.casefold().startswith(title.removesuffix("…").casefold()) else title


def shortened(text: str) -> str:
    """Return a text as one line, cut to a title's length.

    A key in it is masked before: cut, it would no longer be known for one.
    """
    line = " ".join(known_secrets.wash(text).split())
    return line if len(line) <= LONGEST_CHARACTERS else line[: LONGEST_CHARACTERS - 1] + "…"
