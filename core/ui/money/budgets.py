"""Budgets that the owner sets on the page; what stands in secrets.toml stands above them."""

from decimal import Decimal

import streamlit as st

from core.models.money.ledger import Budget, Period
from core.ui import session
from core.ui.buttons import button, keeping_errors
from core.ui.money.words import amount_words
from core.ui.session import text

_PERIODS: tuple[Period, ...] = ("day", "month")
_CURRENCIES = ("CNY", "USD", "PRACTICE")
_KEYS = {"period": "budget-period", "currency": "budget-currency", "amount": "budget-amount"}


def draw() -> None:
    """Draw the form for the studio's budgets, for whoever runs it."""
    if session.visitor().standing not in ("here", "pass"):
        return
    studio = session.studio()
    with st.expander(text("money.budgets"), icon=":material/savings:"):
        st.caption(text("money.budgets_about"))
        for budget in studio.store.ledger.plan.budgets:
            _draw_one(budget)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.selectbox(
                text("money.period"),
                _PERIODS,
                format_func=lambda one: text(f"money.period_{one}"),
                key=_KEYS["period"],
                width=150,
            )
            st.number_input(
                text("money.limit"),
                min_value=0.0,
                value=5.0,
                step=1.0,
                format="%.2f",
                key=_KEYS["amount"],
                width=150,
            )
            st.selectbox(
                text("money.currency"),
                _CURRENCIES,
                format_func=lambda one: text("money.practice_name") if one == "PRACTICE" else one,
                key=_KEYS["currency"],
                width=130,
            )
            button("money.set_budget", "check", "set-budget", _set)
        if (error := session.state().error) is not None:
            session.show_error(error)
            session.state().error = None


def _draw_one(budget: Budget) -> None:
    studio = session.studio()
    words = f"{text(f'money.period_{budget.period}')}: "
    words += amount_words(budget.limit, budget.currency)
    if budget.scope != "studio":
        words = f"{budget.name} · {words}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(words.replace("$", "\\$"))
        if studio.budgets.is_own(budget):
            key = f"drop-{budget.period}-{budget.currency}"
            button("money.drop_budget", "close", key, _drop, budget, type="tertiary")
        else:
            is_of_token = studio.budgets.is_of_token(budget)
            st.caption(text("money.from_token" if is_of_token else "money.from_settings"))


@keeping_errors()
def _set() -> None:
    state = st.session_state
    limit = Decimal(f"{state[_KEYS['amount']]:.2f}")
    budget = Budget("studio", "", state[_KEYS["period"]], limit, state[_KEYS["currency"]])
    session.studio().budgets.set(budget)


@keeping_errors()
def _drop(budget: Budget) -> None:
    session.studio().budgets.drop(budget)
