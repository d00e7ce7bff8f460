"""What a page asks for beside its runs: kept until it is taken, and in nobody's way."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from core.errors import AppError, NotFoundError
from core.ui import session
from core.ui.live import waiting
from core.ui.session_state import SessionState
from core.work.loop import LoopThread
from tests.waiting import PATIENCE_S, until

SILENT = 50


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> SessionState:
    state = SessionState()
    monkeypatch.setattr(session, "state", lambda: state)
    return state


@pytest.fixture
def answers() -> Iterator[threading.Event]:
    """Set when a silent provider answers, at the latest with the test's end."""
    event = threading.Event()
    yield event
    event.set()


def test_what_is_begun_twice_is_done_once_and_taken_once(answers: threading.Event) -> None:
    begun = []

    def work() -> int:
        begun.append(1)
        answers.wait(PATIENCE_S)
        return len(begun)

    waiting.begin("check", work)
    waiting.begin("check", work)
    assert waiting.is_awaited("check")
    assert not waiting.is_told("check")
    answers.set()
    until(lambda: waiting.is_told("check"), "the work is done")
    assert waiting.told("check") == 1
    assert not waiting.is_awaited("check")
    waiting.begin("check", work)
    until(lambda: waiting.is_told("check"), "it is done once more")
    assert waiting.told("check") == 2


def test_what_is_begun_anew_is_what_is_told(answers: threading.Event) -> None:
    waiting.begin("books", lambda: answers.wait(PATIENCE_S) and "old")
    waiting.begin("books", lambda: "new", is_anew=True)
    until(lambda: waiting.is_told("books"), "the books are read")
    assert waiting.told("books") == "new"


def test_an_error_of_the_work_is_raised_where_it_is_taken() -> None:
    def work() -> None:
        raise NotFoundError(provider="deepseek")

    waiting.begin("check", work)
    until(lambda: waiting.is_told("check"), "it has failed")
    with pytest.raises(NotFoundError):
        waiting.told("check")
    assert not waiting.is_awaited("check")


def test_what_no_page_has_words_for_is_told_as_unexpected() -> None:
    def work() -> None:
        raise TimeoutError("a detail")

    waiting.begin("check", work)
    until(lambda: waiting.is_told("check"), "it has failed")
    with pytest.raises(AppError) as told:
        waiting.told("check")
    assert "a detail" not in str(told.value)


def test_what_was_asked_by_settings_of_before_is_told_to_nobody(answers: threading.Event) -> None:
    check, words = f"{waiting.ACCOUNT}check", "words"
    for name in (check, words):
        waiting.begin(name, lambda: answers.wait(PATIENCE_S) and "by the old key")
    waiting.give_up(waiting.ACCOUNT)
    assert not waiting.is_awaited(check)
    waiting.begin(check, lambda: "by the new key")
    until(lambda: waiting.is_told(check), "it is asked once more")
    assert waiting.told(check) == "by the new key"
    assert waiting.is_awaited(words)


def test_silent_providers_take_no_thread_that_answers_are_saved_by(
    answers: threading.Event,
) -> None:
    for number in range(SILENT):
        waiting.begin(f"check-{number}", lambda: answers.wait(PATIENCE_S))
    loop = LoopThread()
    try:
        assert loop.call(asyncio.to_thread(lambda: "saved"), timeout_s=PATIENCE_S) == "saved"
    finally:
        loop.close()
    answers.set()
    names = [f"check-{number}" for number in range(SILENT)]
    until(lambda: all(map(waiting.is_told, names)), "all have answered")
    assert all(map(waiting.told, names))
