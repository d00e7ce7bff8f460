"""The X-ray page: the owner's, empty, with exchanges, about one answer, switched off."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.models.generations import GenerationStatus
from core.providers.http.kept_exchange import KeptExchange
from core.ui.xray.listing import _key
from core.work.studio import Studio
from tests.app.elements import words
from tests.app.test_images_page import generate, generations, open_page

Opened = Callable[[], Studio]
Until = Callable[[Callable[[], bool]], None]


def xray(app: AppTest) -> str:
    app.switch_page("pages/xray.py").run()
    assert not app.exception
    return words(app)


def test_an_answer_and_a_picture_are_taken_apart(
    app: AppTest, studio: Opened, until: Until
) -> None:
    app.run()
    until(lambda: "No requests yet" not in xray(app))  # the models are asked for at the start
    app.switch_page("pages/chat.py").run()
    app.chat_input[0].set_value("what is this app?").run()
    until(lambda: not studio().answers.running_conversations())
    open_page(app)
    generate(app, "a hill")
    until(lambda: generations(studio())[0].status is GenerationStatus.ARCHIVED)
    xray(app)
    assert "Guided tours: three ways to understand the protocols" in [
        one.label for one in app.expander
    ]
    assert len(app.dataframe[0].value) >= 4
    assert any("curl" in one.value for one in app.code)
    assert not app.exception


def test_what_is_about_one_answer_is_listed_alone(
    app: AppTest, studio: Opened, until: Until
) -> None:
    app.run()
    for question in ("first", "second"):
        app.chat_input[0].set_value(question).run()
        until(lambda: not studio().answers.running_conversations())
        app.run()
    subject = next(
        one.exchange.subject for one in studio().xray.ring.newest() if one.exchange.subject
    )
    app.query_params["about"] = subject
    told = xray(app)
    assert "Only what belongs to" in told
    assert len(app.dataframe[0].value) <= len(studio().xray.ring.about(subject))


def test_a_pictures_way_and_price_are_shown_and_kept(
    app: AppTest, studio: Opened, until: Until
) -> None:
    open_page(app)
    generate(app, "a hill")
    until(lambda: generations(studio())[0].status is GenerationStatus.ARCHIVED)
    subject = generations(studio())[0].id
    app.query_params["about"] = subject
    told = xray(app)
    assert "The task on a line" in told
    assert any("Why just then" in one.value for one in app.table)
    app.button(key="xray-keep").click().run()
    assert "Kept since" in words(app)
    studio().xray.ring.clear()
    app.run()
    assert len(app.table) == len(app.dataframe) == 1  # what was kept is still there
    app.button(key="xray-forget").click().run()
    assert not app.exception
    assert "Nothing is kept about it" in words(app)


def test_a_visitor_sees_nothing_of_it(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, studio: Opened
) -> None:
    app.run()
    monkeypatch.setattr("core.ui.session.is_trusted", lambda: False)
    told = xray(app)
    assert "Only the owner" in told
    assert len(app.dataframe) == 0


def test_switched_off_it_says_how_to_switch_it_on(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INKLING_XRAY", "off")
    app.run()
    assert "switched off" in xray(app)


def test_a_chosen_exchange_stays_chosen_when_others_come(
    app: AppTest, studio: Opened, until: Until
) -> None:
    def heading() -> str:
        return next(one.value for one in app.markdown if one.value.startswith("## "))

    def numbers() -> list[int]:
        return [one.number for one in studio().xray.ring.newest()]

    def choose(*, oldest: bool) -> None:
        """Choose the last row of the list that is shown, or none, as a browser tells it."""
        shown = app.session_state["xray-drawn-None"]
        rows = [len(shown) - 1] if oldest else []
        app.session_state[_key(None, shown)] = {"selection": {"rows": rows}}
        app.run()

    def ask(question: str) -> None:
        app.switch_page("pages/chat.py").run()
        app.chat_input[0].set_value(question).run()
        until(lambda: not studio().answers.running_conversations())
        xray(app)

    app.run()
    until(lambda: "No requests yet" not in xray(app))
    ask("first")
    assert heading() != "## List of models"  # unless told, it is about the newest
    kept = studio().xray.ring.newest()[0].kept
    assert isinstance(kept, KeptExchange)
    studio().xray.ring.add(kept)  # the list that is shown does not know it yet
    choose(oldest=True)
    assert heading() == "## List of models"
    was = len(numbers())
    ask("second")
    assert len(numbers()) > was
    assert heading() == "## List of models"
    shown = app.session_state["xray-drawn-None"]
    assert app.session_state[_key(None, shown)]["selection"]["rows"] == [len(shown) - 1]

    app.pills(key="xray-kind").set_value("images").run()  # a list without it, drawn twice
    app.run()
    app.pills(key="xray-kind").set_value(None).run()
    assert heading() == "## List of models"
    choose(oldest=False)
    assert heading() != "## List of models"
