"""The head of the Money page: today, this month, and the budgets they count against."""

from datetime import UTC, datetime
from decimal import Decimal

import streamlit as st

from core.markdown.escaping import literal
from core.models.money.amounts import CNY, PRACTICE_CURRENCY
from core.models.money.ledger import BudgetState
from core.models.money.periods import period_start
from core.storage.money.filters import LedgerFilter
from core.storage.money.sums import Sums
from core.ui import session
from core.ui.money.figures import budget_remark, own_budgets
from core.ui.money.words import amount_words
from core.ui.session import text
from core.work.money.report import Reports

_ZERO = Decimal(0)


def draw(reports: Reports, owner: str | None) -> None:
    """Draw what today and this month cost in each currency, and every budget."""
    now, zone = datetime.now(UTC), session.studio().store.ledger.plan.zone
    sums = {
        period: reports.totals(LedgerFilter(owner=owner, start=period_start(period, now, zone)))
        for period in ("day", "month")
    }
    currencies = list(dict.fromkeys(one.currency for one in sums["month"]))
    currencies = currencies or [_usual_currency()]
    with st.container(horizontal=True, gap="small"):
        for currency in currencies:
            for period, label in (("day", "money.today"), ("month", "money.this_month")):
                _draw_metric(text(label), currency, sums[period])
    for state in own_budgets():
        _draw_budget(state)


def _usual_currency() -> str:
    return PRACTICE_CURRENCY if session.chat_mode() == "practice" else CNY


def _draw_metric(label: str, currency: str, sums: tuple[Sums, ...]) -> None:
    found = next((one for one in sums if one.currency == currency), None)
    amount = amount_words(found.amount, currency) if found else amount_words(_ZERO, currency)
    with st.container(border=True, width=168):
        st.caption(label)
        st.markdown("**" + amount.replace("$", "\\$") + "**")
        notes = []
        if found is not None:
            notes.append(text("money.calls", count=found.lines))
            if found.reserved:
                notes.append(text("money.still_held", count=found.reserved))
            if found.unknown:
                notes.append(text("money.of_unknown", count=found.unknown))
        st.caption(" · ".join(notes) or text("money.no_calls"))


def _draw_budget(state: BudgetState) -> None:
    budget = state.budget
    words = text(
        "money.budget_line",
        period=text(f"money.period_{budget.period}"),
        spent=amount_words(state.spent, budget.currency),
        limit=amount_words(budget.limit, budget.currency),
    )
    if budget.scope != "studio":
        words = f"{budget.name}: {words}"
    st.progress(min(float(state.share), 1.0), text=literal(words))
    if (remark := budget_remark(state)) is not None:
        st.caption(remark)
