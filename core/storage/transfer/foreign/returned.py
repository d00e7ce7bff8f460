"""Reader of what we wrote in ChatGPT's shape: it comes back whole, under the ids it had."""

from collections.abc import Mapping
from typing import Any

from core.errors import InputError
from core.storage.transfer.chatgpt_shape import conversation_values, messages_in
from core.storage.transfer.foreign import values
from core.storage.transfer.foreign.model import EntryRefusedError
from core.storage.transfer.format import ConversationReading, TravellingConversation


def read(entry: Mapping[str, Any], owner: str) -> TravellingConversation:
    """Return the conversation, every value checked as those of our own export are."""
    reading = ConversationReading(owner)
    try:
        reading.begin(entry)
        said = tuple(reading.message(value) for value in messages_in(entry))
        return TravellingConversation(reading.end(conversation_values(entry)), said)
    except InputError as error:
        title = values.title(entry.get("title"))
        raise EntryRefusedError(str(error.facts["problem"]), title) from error
