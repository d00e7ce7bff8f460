"""How a conversation is called where it is listed: its title, and where it came from."""

from core.markdown.escaping import literal
from core.models.chat import Conversation
from core.ui.session import text

TITLE_LIMIT = 200


def origin_mark(conversation: Conversation) -> str:
    """Return the badge of a conversation that came over HTTP, before the rest of its line."""
    return ":gray-badge[:material/api: HTTP] " if conversation.origin == "http" else ""


def title_of(conversation: Conversation) -> str:
    """Return the title as plain text for a label, brackets and signs of Markdown made literal."""
    return literal(conversation.title or text("chat.untitled"))
