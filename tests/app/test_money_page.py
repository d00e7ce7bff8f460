"""The Money page, the price on the button, the figure under an answer, the second press."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.models.money.ledger import Budget, LineState
from core.storage.money.filters import LedgerFilter
from core.work.studio import Studio
from tests.app.elements import run_until, words
from tests.app.test_images_page import PROMPT

Opened = Callable[[], Studio]
Until = Callable[[Callable[[], bool]], None]


def money(app: AppTest) -> str:
    app.switch_page("pages/money.py").run()
    assert not app.exception
    return words(app)


def ask(app: AppTest, question: str, studio: Opened, until: Until) -> None:
    app.chat_input[0].set_value(question).run()
    until(lambda: bool(lines(studio())) and not held(studio()))
    app.run()


def lines(studio: Studio) -> list[Decimal | None]:
    return [one.amount for one in studio.store.ledger.every(LedgerFilter())]


def held(studio: Studio) -> bool:
    wanted = LedgerFilter(state=LineState.RESERVED)
    return any(True for _ in studio.store.ledger.every(wanted))


def test_where_nothing_was_spent_the_page_says_so(app: AppTest) -> None:
    app.run()
    told = money(app)
    assert "Nothing was spent" in told
    assert "0.00 practice coins" in told
    assert "no calls yet" in told


def test_what_a_long_conversation_costs_next_is_told(
    app: AppTest, studio: Opened, until: Until
) -> None:
    app.run()
    ask(app, "Where do I put the keys?", studio, until)
    (conversation,) = studio().store.conversations.list(LOCAL_OWNER).items
    # Not followed by the page: to draw a long answer as it grows takes a minute of a busy machine.
    question, parameters = "/practice long 60000", conversation.parameters
    live = studio().answers.ask(LOCAL_OWNER, conversation, question, parameters)
    until(live.saved.is_set)
    app.run()
    assert "next question: at least" in words(app)


def test_an_answer_has_its_figure_and_the_page_its_line(
    app: AppTest, studio: Opened, until: Until
) -> None:
    app.run()
    ask(app, "Where do I put the keys?", studio, until)
    assert "practice coins" in words(app)
    assert "next question" not in words(app)  # less than anybody asks about
    told = money(app)
    assert "deepseek-flash" in told
    assert len(app.dataframe) == 1
    assert len(app.dataframe[0].value) == len(lines(studio()))
    assert "came from the cache" in told


def test_the_button_bears_the_price_of_what_the_form_says(app: AppTest) -> None:
    app.run()
    app.switch_page("pages/images.py").run()
    assert app.button(key="generate").label == "Generate 1 ≈ 0.20 practice coins"
    app.number_input(key="image-n").set_value(4).run()
    assert app.button(key="generate").label == "Generate 4 ≈ 0.80 practice coins"


def test_a_budget_set_on_the_page_holds_and_can_be_taken_back(
    app: AppTest, studio: Opened, until: Until
) -> None:
    app.run()
    money(app)
    app.selectbox(key="budget-currency").set_value("PRACTICE")
    app.number_input(key="budget-amount").set_value(0.5)
    app.button(key="set-budget").click().run()
    assert studio().store.ledger.plan.budgets == (
        Budget("studio", "", "day", Decimal("0.5"), "PRACTICE"),
    )
    app.switch_page("pages/images.py").run()
    app.number_input(key="image-n").set_value(3)
    app.text_area(key=PROMPT).set_value("three cats")
    app.button(key="generate").click().run()
    assert "is left of the budget" in words(app)
    assert lines(studio()) == []
    app.number_input(key="image-n").set_value(2).run()
    app.button(key="generate").click().run()
    until(lambda: not held(studio()))
    assert lines(studio()) == [Decimal("0.4")]
    assert "0.40" in money(app)
    assert "80" in words(app) or "used" in words(app)
    app.button(key="drop-day-PRACTICE").click().run()
    assert studio().store.ledger.plan.budgets == ()
    assert not app.exception


def test_without_room_a_question_is_refused_and_leaves_no_conversation(
    app: AppTest, studio: Opened
) -> None:
    app.run()
    studio().budgets.set(Budget("studio", "", "month", Decimal(0), "PRACTICE"))
    app.chat_input[0].set_value("Anyone there?").run()
    assert "is used up" in words(app)
    assert studio().store.conversations.list("local").items == ()
    assert not app.exception


def test_what_costs_much_is_asked_for_twice(
    app: AppTest, studio: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLING_API_KEY", "kling-test-key")
    monkeypatch.setenv("KLING_API_ORIGIN", "http://127.0.0.1:9")
    app.run()
    app.switch_page("pages/images.py").run()
    app.number_input(key="image-n").set_value(9)
    app.text_area(key=PROMPT).set_value("nine cats")
    app.button(key="generate").click().run()
    assert "press once more" in words(app)
    assert lines(studio()) == []
    app.button(key="generate").click().run()
    assert lines(studio()) == [Decimal("1.8")]
    assert not app.exception


@pytest.mark.parametrize("span", ["month", "last_month", "30_days", "year"])
def test_every_span_can_be_looked_at(app: AppTest, studio: Opened, until: Until, span: str) -> None:
    app.run()
    ask(app, "hello", studio, until)
    money(app)
    app.segmented_control(key="money-span").set_value(span).run()
    assert not app.exception


def test_klings_books_are_compared_and_a_task_of_another_program_is_adopted(
    app: AppTest, studio: Opened, until: Until
) -> None:
    app.run()
    app.switch_page("pages/images.py").run()
    app.text_area(key=PROMPT).set_value("a cat")
    app.button(key="generate").click().run()
    until(lambda: bool(lines(studio())) and not held(studio()))
    money(app)
    app.button(key="reconcile").click().run()
    agreed = "1 tasks agree with Kling's books, 0 differ"
    run_until(app, lambda: agreed in words(app), "Kling's books are read")
    # As if another program had asked for it with the same key.
    (known,) = studio().store.ledger.every(LedgerFilter())
    forget(studio(), known.id)
    app.button(key="reconcile").click().run()
    foreign = "another program with the same key"
    run_until(app, lambda: foreign in words(app), "the other program's task is found")
    app.button(key="adopt-billed").click().run()
    run_until(app, lambda: "1 tasks agree" in words(app), "the books are read once more")
    assert lines(studio()) == [Decimal("0.2")]
    app.button(key="ask-balances").click().run()
    run_until(app, lambda: "as of" in words(app), "an account is told")
    assert not app.exception


def forget(studio: Studio, line_id: str) -> None:
    with closing(sqlite3.connect(studio.store.place)) as connection, connection:
        connection.execute("DELETE FROM ledger_lines WHERE id = ?", [line_id])
