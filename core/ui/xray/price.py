"""The arithmetic of what an exchange cost: counts times rates, as the ledger settled it."""

import streamlit as st

from core.errors import AppError
from core.models.money.arithmetic import Term, terms_of
from core.models.money.ledger import LedgerLine
from core.providers.http.kept_exchange import Exchange
from core.ui import session
from core.ui.money.words import amount_words, line_words
from core.ui.session import text
from core.work.chat.titles import TITLE
from core.work.drawing.proposals import PROPOSAL
from core.work.xray.reading import purpose_of


def line_of(exchange: Exchange) -> LedgerLine | None:
    """Return the ledger's line of what an exchange was for; None where it cost nothing."""
    if not exchange.subject or purpose_of(exchange) not in ("answer", "title", "prompt", "create"):
        return None
    line_id = exchange.subject.removeprefix(TITLE).removeprefix(PROPOSAL)
    try:
        ledger = session.studio().store.ledger
        return ledger.several(session.owner(), [line_id]).get(line_id)
    except AppError:
        return None


def draw(line: LedgerLine) -> None:
    """Draw the bill."""
    terms = terms_of(line, session.studio().spending.prices)
    if terms:
        st.dataframe([_row(one, line.currency) for one in terms], hide_index=True, width="content")
    else:
        st.caption(text("xray.price_unknown"))
    st.markdown(f"**{text('xray.price_sum')}** {line_words(line)}".replace("$", "\\$"))
    hour = text("xray.price_peak" if line.hour == "peak" else "xray.price_off_peak")
    st.caption(text("xray.price_how", hour=hour) if line.hour else text("xray.price_pieces_how"))


def _row(one: Term, currency: str) -> dict[str, str]:
    return {
        text("xray.price_name"): text(f"xray.price_{one.name}"),
        text("xray.price_count"): f"{one.count:,}",
        text("xray.price_rate"): amount_words(one.rate, currency),
        text("xray.price_amount"): amount_words(one.amount, currency),
    }
