"""What a chat box is to hold is drawn again in each run until a browser has it for certain."""

import pytest

from core.ui import session
from core.ui.chat import composer
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
    monkeypatch.setattr("core.ui.chat.composer.time.monotonic", lambda: clock[0])
    return clock


def held(place: str) -> str | None:
    box = composer._words_for(place)
    return box.words if box is not None else None


def test_words_are_drawn_until_they_were_seen(known: SessionState, now: list[float]) -> None:
    session.fill_box("bought words", "c1")
    for _ in range(2):  # runs that ended before they came to the box
        assert held("mark/c1") == "bought words"
    known.boxes["mark/c1"].drawn_at = now[0]
    now[0] += composer._SEEN_S / 2  # its run was followed by another at once
    assert held("mark/c1") == "bought words"
    now[0] += composer._SEEN_S
    assert held("mark/c1") is None
    assert known.boxes == {}


@pytest.mark.usefixtures("now")
def test_words_stay_in_the_box_they_are_for() -> None:
    session.fill_box("for one")
    assert held("mark/c1") is None
    assert held("mark/new") == "for one"


def test_words_that_were_not_seen_yet_stay_before_the_next(
    known: SessionState, now: list[float]
) -> None:
    session.fill_box("> a quotation\n\n")
    session.fill_box("what was said")
    assert held("mark/new") == "> a quotation\n\nwhat was said"
    session.fill_box("> a quotation\n\nwhat was said")  # pressed once more
    assert held("mark/new") == "> a quotation\n\nwhat was said"
    known.boxes["mark/new"].drawn_at = now[0]
    session.fill_box("later")
    assert held("mark/new") == "later"
