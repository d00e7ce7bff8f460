"""A question and the first words of its answer are shown before the page is drawn for them.

The page is broken off where its drawing begins: what is seen then was drawn ahead of it.
"""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.markdown.splitter import BlockSplitter
from core.texts import catalogue
from core.ui import session
from core.ui.chat.ahead import LONGEST_WORDS
from core.ui.chat.answer.growing_text import as_drawn
from core.ui.chat.listing import sidebar
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, completion, ending, event

REST = "，江枫渔火对愁眠。"
KEY = "sk-0123456789abcdef"


class Poet:
    """Says how an answer begins, and ends it once it is let go."""

    def __init__(self) -> None:
        self.first: dict[str, str] | None = {"content": "月落乌啼霜满天"}
        self.end = threading.Event()

    def plan(self, body: dict[str, Any]) -> Plan:
        if not body["stream"]:
            yield Step(0, completion("夜泊"))
            return
        yield Step(0, STREAM_HEAD)
        if self.first is not None:
            yield Step(0, event(**self.first))
        while not self.end.is_set():
            yield Step(0.02, b"")
        yield Step(0, event(content=REST) + ending() + DONE)


@pytest.fixture
def poet() -> Iterator[Poet]:
    one = Poet()
    yield one
    one.end.set()


@pytest.fixture
def chat(app: AppTest, poet: Poet, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app before a live provider, run once."""
    # However slow the machine, the first words are there when the page begins.
    monkeypatch.setattr("core.ui.chat.ahead.FIRST_LOOK_S", 60.0)
    with Upstream(poet.plan) as upstream:
        monkeypatch.setenv("DEEPSEEK_API_URL", upstream.url)
        monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
        monkeypatch.setenv("INKLING_OPEN", "true")
        app.run()
        # From its second run on AppTest draws the page without the frame around it: the places that
        # one run leaves to the next are the same from here on, as they always are in a browser.
        yield app.run()
        poet.end.set()


def broken_off(*_: object) -> None:
    st.stop()


def said(app: AppTest) -> list[tuple[str, list[str]]]:
    """Return who says what, as the page shows it."""
    return [(one.name, [text.value for text in one.markdown]) for one in app.chat_message]


def ask_whole(app: AppTest, poet: Poet, question: str) -> None:
    """Ask, and have the answer to its end."""
    poet.end.set()
    app.chat_input[0].set_value(question).run()
    poet.end.clear()


@pytest.mark.parametrize("earlier", [0, 1, 2])
def test_what_is_asked_and_first_answered_stands_behind_what_was_said(
    chat: AppTest, poet: Poet, monkeypatch: pytest.MonkeyPatch, earlier: int
) -> None:
    for number in range(earlier):
        ask_whole(chat, poet, f"前问 {number}")
    before = said(chat)
    monkeypatch.setattr(sidebar, "draw", broken_off)
    chat.chat_input[0].set_value("枫桥在*哪里*？").run()
    assert said(chat)[-2:] == [("user", ["枫桥在*哪里*？"]), ("assistant", ["月落乌啼霜满天"])]
    assert len(before) == 2 * earlier


def test_a_suggestion_is_shown_ahead_in_place_of_the_welcome(
    chat: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sidebar, "draw", broken_off)
    suggestion = catalogue.text("en", "chat.suggestion_1")
    next(one for one in chat.button if one.label == suggestion).click().run()
    assert said(chat) == [("user", [suggestion]), ("assistant", ["月落乌啼霜满天"])]
    assert catalogue.text("en", "chat.welcome") not in [text.value for text in chat.markdown]


def test_the_url_leads_to_a_conversation_behind_its_first_words_drawn_or_not(
    chat: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    named: list[bool] = []

    def fail(*_: object) -> None:
        named.append("c" in st.query_params)
        raise RuntimeError("nothing can be drawn")

    monkeypatch.setattr("core.ui.chat.ahead.Talk.draw_next", fail)
    chat.chat_input[0].set_value("枫桥在哪里？").run()
    assert named == [False]
    store = session.studio().store
    (conversation,) = store.conversations.list(LOCAL_OWNER).items
    assert conversation.id in chat.query_params["c"]  # text, or a list of it, as AppTest has it


@pytest.mark.parametrize(
    "first",
    [
        None,
        {"reasoning_content": "先想一想"},
        {"content": "第一段。\n\n第二段。\n\n第三"},  # more than one element of the page
        {"content": "月落乌啼霜满天，" * 80},
    ],
)
def test_what_needs_more_than_a_few_words_is_told_as_waiting(
    chat: AppTest,
    poet: Poet,
    monkeypatch: pytest.MonkeyPatch,
    first: dict[str, str] | None,
) -> None:
    poet.first = first
    if first is None:
        monkeypatch.setattr("core.ui.chat.ahead.FIRST_LOOK_S", 0.0)
    monkeypatch.setattr(sidebar, "draw", broken_off)
    chat.chat_input[0].set_value("枫桥在哪里？").run()
    waiting = f":shimmer[{catalogue.text('en', 'chat.waiting')}]"
    assert said(chat)[-1] == ("assistant", [waiting])


@pytest.mark.parametrize(
    "said_first", ["    x = 1", "标题\n-", "~~~", "半个 **粗", "<b>字</b>", "$x"]
)
def test_words_are_drawn_as_the_page_draws_them(
    chat: AppTest, poet: Poet, monkeypatch: pytest.MonkeyPatch, said_first: str
) -> None:
    """No line may be a heading, or code, for the moment until the page draws it as what it is."""
    poet.first = {"content": said_first}
    splitter = BlockSplitter(LONGEST_WORDS)
    splitter.feed(said_first)
    drawn = as_drawn(splitter.tail_parts()[1])
    monkeypatch.setattr(sidebar, "draw", broken_off)
    chat.chat_input[0].set_value("枫桥在哪里？").run()
    waiting = f":shimmer[{catalogue.text('en', 'chat.waiting')}]"
    assert said(chat)[-1] == ("assistant", [drawn or waiting])


def test_a_key_in_a_question_is_shown_by_nobody(
    chat: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sidebar, "draw", broken_off)
    chat.chat_input[0].set_value(f"我的钥匙是 {KEY}").run()
    assert [name for name, _ in said(chat)] == ["user", "assistant"]
    assert KEY not in str(chat.main)
    assert KEY not in "".join(one.proto.body for one in chat.get("html"))


def test_nothing_is_drawn_ahead_where_the_page_shows_something_else(
    chat: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The submit may overtake the change to another page: there is no place for it there."""
    chat.session_state["inkling"].page = "gallery"
    monkeypatch.setattr(sidebar, "draw", broken_off)
    chat.chat_input[0].set_value("枫桥在哪里？").run()
    assert said(chat) == []


def test_a_question_that_was_not_asked_is_not_shown(
    chat: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sidebar, "draw", broken_off)
    chat.chat_input[0].set_value("   ").run()
    assert said(chat) == []
