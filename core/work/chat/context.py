"""What a question is sent with: the conversation before it, as the provider reads it."""

from collections.abc import Sequence

from core.models.chat import Conversation, Turn
from core.storage.store import Store
from core.work.chat.live_answer import LiveAnswer


def stored_turns(
    store: Store,
    owner: str,
    conversation: Conversation,
    live: LiveAnswer,
    *,
    with_reasoning: bool,
) -> list[Turn]:
    """Return the turns that lead to a stored answer, its own beginning included."""
    path = store.messages.path(owner, conversation.id, head_id=live.message_id)
    turns: list[Turn] = []
    current = store.conversations.get(owner, conversation.id) or conversation
    if current.system_prompt.strip():
        turns.append(Turn("system", current.system_prompt))
    for message in path:
        wants_reasoning = with_reasoning and message.role == "assistant"
        reasoning = message.reasoning_content if wants_reasoning else None
        if message.id == live.message_id:
            # The text a continued answer starts with: DeepSeek goes on behind a prefix turn.
            if message.content:
                turns.append(
                    Turn("assistant", message.content, message.reasoning_content or None, True)
                )
        elif message.content:
            turns.append(Turn(message.role, message.content, reasoning))
    return turns


def posted_turns(posted: Sequence[Turn], *, with_reasoning: bool) -> list[Turn]:
    """Return the turns of a chat that came whole."""
    if with_reasoning:
        return list(posted)
    return [Turn(turn.role, turn.content) for turn in posted]
