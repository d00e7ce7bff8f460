"""What is left at both providers, with the age of the figure, and how old the price list is."""

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from core.errors import AppError
from core.models.money.hours import is_year_known
from core.providers.deepseek.wire import Balance
from core.providers.kling.wire import AccountCosts
from core.ui import session
from core.ui.buttons import button
from core.ui.formats import moment
from core.ui.session import Account, ProviderName, text


def draw() -> None:
    """Draw both balances as they were asked for last, and what is to be known of the prices."""
    if session.is_trusted():
        st.markdown(f"**{text('money.balances')}**")
        is_live = "live" in (session.chat_mode(), session.image_mode())
        if not is_live:
            st.caption(text("money.balances_practice"))
        button("money.ask_balances", "refresh", "ask-balances", _ask)
        for name, (account, at) in session.state().balances.items():
            _draw_account(text(f"status.{name}"), account, at)
    prices, now = session.studio().spending.prices, datetime.now(UTC)
    if prices.stale(now.date()):
        st.caption(text("money.stale"))
    if not is_year_known(now):
        st.caption(text("money.no_holidays"))


def _ask() -> None:
    studio, now = session.studio(), datetime.now(UTC)
    known = session.state().balances
    asking: dict[ProviderName, Callable[[], Account]] = {
        "chat": studio.chat_account,
        "images": studio.image_account,
    }
    for name, ask in asking.items():
        try:
            known[name] = (ask(), now)
        except AppError as error:
            known[name] = (error, now)


def _draw_account(name: str, account: Account | AppError, at: datetime) -> None:
    with st.container(border=True):
        st.markdown(f"**{name}**")
        if isinstance(account, AppError):
            st.caption(session.error_text(account))
        elif isinstance(account, Balance):
            for one in account.currencies:
                st.markdown(text("status.balance", total=f"{one.total}", currency=one.currency))
        elif isinstance(account, AccountCosts):
            _draw_packs(account)
        st.caption(text("money.asked_at", at=moment(at)))


def _draw_packs(account: AccountCosts) -> None:
    if not account.packs:
        st.markdown(text("status.no_packs"))
    for pack in account.packs:
        st.markdown(f"{pack.name}: {pack.remaining} / {pack.total}")
