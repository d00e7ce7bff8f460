"""What the pages share of a conversation: its label and sign; rename, pin, delete, restore."""

from core.markdown.escaping import literal
from core.models.chat import Conversation
from core.ui import opened, session
from core.ui.buttons import keeping_errors, undo
from core.ui.session import text

TITLE_LIMIT = 200


def origin_mark(conversation: Conversation) -> str:
    """Return what marks a conversation that came over HTTP, before the rest of its line."""
    return ":material/api: HTTP · " if conversation.origin == "http" else ""


def title_of(conversation: Conversation) -> str:
    """Return the title as plain text for a label, brackets and signs of Markdown made literal."""
    return literal(conversation.title or text("chat.untitled"))


def icon_of(conversation: Conversation, is_running: bool) -> str:
    """Return the sign of a conversation in a list."""
    if is_running:
        return "spinner"
    return ":material/keep:" if conversation.pinned else ":material/chat_bubble:"


def rename(conversation: Conversation, title: str) -> None:
    """Give a conversation another title, unless it is empty."""
    if title := title.strip():
        conversations = session.studio().store.conversations
        conversations.rename(session.owner(), conversation.id, title, manual=True)


def turn_pin(conversation: Conversation) -> None:
    """Keep a conversation above the others, or no longer."""
    conversations = session.studio().store.conversations
    conversations.configure(session.owner(), conversation.id, pinned=not conversation.pinned)


def delete(conversation: Conversation) -> None:
    """End its running answer and delete a conversation; it can be brought back."""
    studio, owner = session.studio(), session.owner()
    if (live := studio.answers.live_in(conversation.id)) is not None:
        studio.answers.stop(owner, live.message_id)
    studio.store.conversations.delete(owner, conversation.id)
    session.state().deleted_conversation = conversation


def draw_undo(key: str, *, opens: bool = False) -> None:
    """Offer the conversation back that was deleted last; `opens` it, unless another one is open."""
    deleted = session.state().deleted_conversation
    if deleted is None:
        return

    @keeping_errors()
    def restore() -> None:
        session.studio().store.conversations.restore(session.owner(), deleted.id)
        if opens and session.state().conversation_id is None:
            opened.open_conversation(deleted.id)
        session.state().deleted_conversation = None

    undo(text("chat.deleted", title=title_of(deleted)), key, restore)
