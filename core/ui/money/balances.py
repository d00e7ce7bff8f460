"""What is left at both providers, with the age of the figure, and how old the price list is."""

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from core.errors import AppError
from core.markdown.escaping import literal
from core.models.money.hours import is_year_known
from core.providers.deepseek.wire import Balance
from core.providers.kling.wire import AccountCosts
from core.ui import session
from core.ui.buttons import button, keeping_errors
from core.ui.formats import code_span, moment
from core.ui.money.words import amount_words
from core.ui.session import text
from core.ui.session_state import Account, ProviderName

_SHOWN = 12


def draw() -> None:
    """Draw both balances as they were asked for last, and what is to be known of the prices."""
    if session.is_trusted():
        st.markdown(f"**{text('money.balances')}**")
        is_live = "live" in (session.chat_mode(), session.image_mode())
        if not is_live:
            st.caption(text("money.balances_practice"))
        with st.container(horizontal=True):
            button("money.ask_balances", "refresh", "ask-balances", _ask)
            button("money.reconcile", "difference", "reconcile", _reconcile)
        if (error := session.state().error) is not None:
            session.show_error(error)
            session.state().error = None
        _draw_drop()
        _draw_reconciled()
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
        "chat": studio.accounts.chat_account,
        "images": studio.accounts.image_account,
    }
    for name, ask in asking.items():
        try:
            known[name] = (ask(), now)
        except AppError as error:
            known[name] = (error, now)
    account = known["chat"][0]
    if isinstance(account, Balance):
        with keeping_errors():
            session.state().balance_drop = studio.accounts.balance_drop(account)


@keeping_errors()
def _reconcile() -> None:
    session.state().reconciled = session.studio().accounts.reconcile()


@keeping_errors()
def _adopt() -> None:
    found = session.state().reconciled
    for one in found.of("foreign") if found is not None else ():
        session.studio().accounts.adopt_billed(one)
    _reconcile()


def _draw_drop() -> None:
    drop = session.state().balance_drop
    if drop is not None:
        facts = {
            "since": moment(drop.since),
            "fell": amount_words(drop.fell, drop.currency),
            "ledger": amount_words(drop.ledger, drop.currency),
        }
        st.caption(literal(text("money.balance_drop", **facts)))


def _draw_reconciled() -> None:
    found = session.state().reconciled
    if found is None:
        return
    with st.container(border=True):
        words = text("money.reconciled", agreed=found.agreed, differ=len(found.differences))
        st.markdown(f"**{words}**")
        for one in found.differences[:_SHOWN]:
            ours, theirs = (
                text("money.unknown") if amount is None else amount_words(amount, one.currency)
                for amount in (one.ours, one.theirs)
            )
            facts = {"task": code_span(one.task_id), "ours": ours, "theirs": theirs}
            st.caption(text(f"money.diff_{one.reason}", **facts).replace("$", "\\$"))
        if len(found.differences) > _SHOWN:
            st.caption(text("money.diff_more", count=len(found.differences) - _SHOWN))
        if found.of("foreign"):
            button("money.adopt", "playlist_add", "adopt-billed", _adopt)
        st.caption(text("money.asked_at", at=moment(found.at)))


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
