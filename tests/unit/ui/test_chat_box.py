"""What a chat box is to hold is drawn again in each run until a browser has it for certain."""

from datetime import UTC, datetime

import pytest

from core.models.chat import Conversation
from core.ui import chat_box, session
from core.ui.session_state import SessionState


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> SessionState:
    state = SessionState()
    monkeypatch.setattr(session, "state", lambda: state)
    monkeypatch.setattr(session, "owner_mark", lambda: "mark")
    return state


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [100.0]
    monkeypatch.setattr("core.ui.chat_box.time.monotonic", lambda: clock[0])
    return clock


NOW = datetime(2026, 12, 1, tzinfo=UTC)
CONVERSATION = Conversation("c1", "local", "", NOW, NOW)


def held(conversation: Conversation | None) -> str | None:
    box = chat_box.words_for(conversation)
    return box.words if box is not None else None


def test_words_are_drawn_until_they_were_seen(known: SessionState, now: list[float]) -> None:
    chat_box.fill("bought words", CONVERSATION)
    for _ in range(2):  # runs that ended before they came to the box
        assert held(CONVERSATION) == "bought words"
    known.boxes["mark/c1"].drawn_at = now[0]
    now[0] += chat_box.SEEN_S / 2  # its run was followed by another at once
    assert held(CONVERSATION) == "bought words"
    now[0] += chat_box.SEEN_S
    assert held(CONVERSATION) is None
    assert known.boxes == {}


@pytest.mark.usefixtures("now")
def test_words_stay_in_the_box_they_are_for() -> None:
    chat_box.fill("for one")
    assert held(CONVERSATION) is None
    assert held(None) == "for one"


def test_words_that_were_not_seen_yet_stay_before_the_next(
    known: SessionState, now: list[float]
) -> None:
    chat_box.fill("> a quotation\n\n")
    chat_box.fill("what was said")
    assert held(None) == "> a quotation\n\nwhat was said"
    chat_box.fill("> a quotation\n\nwhat was said")  # pressed once more
    assert held(None) == "> a quotation\n\nwhat was said"
    known.boxes["mark/new"].drawn_at = now[0]
    chat_box.fill("later")
    assert held(None) == "later"
