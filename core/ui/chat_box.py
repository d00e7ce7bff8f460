"""The chat's box: what it is to hold, put there by any page; nothing is sent."""

import time

from core.models.chat import Conversation
from core.ui import session
from core.ui.session_state import BoxWords

SEEN_S = 0.5


def place_of(conversation: Conversation | None) -> str:
    """Return the key of a conversation's chat box (None: of a new one), and of what waits there."""
    return f"{session.owner_mark()}/{conversation.id if conversation is not None else 'new'}"


def fill(words: str, conversation: Conversation | None = None) -> None:
    """Have the chat box of a conversation (None: of a new one) hold `words`.

    What it is yet to show stays before them.
    """
    boxes, place = session.state().boxes, place_of(conversation)
    before = boxes.get(place)
    if before is not None and before.drawn_at is None and before.words != words:
        words = f"{before.words.rstrip()}\n\n{words}"
    boxes[place] = BoxWords(words)


def empty(conversation: Conversation | None) -> None:
    """Forget what the chat box of a conversation was to hold: it was sent."""
    session.state().boxes.pop(place_of(conversation), None)


def words_for(conversation: Conversation | None) -> BoxWords | None:
    """Return what the chat box of a conversation is to hold.

    A run that is followed by the next one at once may never be seen: for a moment the box is filled
    again in each. Later it would take what was typed in it meanwhile.
    """
    boxes, place = session.state().boxes, place_of(conversation)
    box = boxes.get(place)
    if box is None or box.drawn_at is None or time.monotonic() - box.drawn_at < SEEN_S:
        return box
    del boxes[place]
    return None
