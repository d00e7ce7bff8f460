"""The name a conversation gets from the model once its first question is answered."""

import asyncio
import logging

from core.errors import AppError
from core.models.chat import ChatParameters, Message, Turn
from core.providers.deepseek.client import DeepSeek
from core.storage.store import Store
from core.wire.sorted_words import sort_words

logger = logging.getLogger(__name__)

LONGEST_CHARACTERS = 40
_PROMPT = (
    "Give the conversation a title: at most 8 words, or 14 Chinese characters, in the language of "
    "the user's message. Answer with the title alone, without quotes or a full stop."
)
_SOURCE_CHARACTERS = 2_000
_TOKENS = 60
_WRAPPING = "\"'“”‘’《》「」。.#* "


class Titles:
    """Writes titles, and tells whose title is still to come."""

    def __init__(self, store: Store) -> None:
        self._store = store
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

    async def write(self, owner: str, answer: Message, model: str, client: DeepSeek) -> None:
        """Have the model name the conversation; failing changes nothing."""
        conversation_id = answer.conversation_id
        try:
            path = await asyncio.to_thread(
                self._store.messages.path, owner, conversation_id, head_id=answer.id
            )
            question = next((message.content for message in path if message.role == "user"), "")
            said = await _ask(client, question[:_SOURCE_CHARACTERS], model)
            if title := shortened(said.strip().strip(_WRAPPING)):
                await asyncio.to_thread(
                    self._store.conversations.rename, owner, conversation_id, title, manual=False
                )
        except AppError as error:
            logger.info("Conversation %s keeps its title: %s", conversation_id, error.text_id)


async def _ask(client: DeepSeek, question: str, model: str) -> str:
    turns = [Turn.of_text("system", _PROMPT), Turn.of_text("user", question)]
    parameters = ChatParameters(model=model, thinking=False, max_tokens=_TOKENS)
    whole = await client.complete(turns, parameters)
    return sort_words(whole.content).content


def shortened(text: str) -> str:
    """Return a text as one line, cut to a title's length."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_CHARACTERS else line[: LONGEST_CHARACTERS - 1] + "…"
