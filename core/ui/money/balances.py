"""What is left at both providers, with the age of the figure, and how old the price list is."""

from dataclasses import dataclass, replace
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
from core.ui.live import waiting
from core.ui.money.words import amount_words
from core.ui.session import text
from core.ui.session_state import Account, ProviderName
from core.work.money.reconcile import BalanceDrop

_SHOWN = 12
# What is asked beside the page, by its names there.
_ACCOUNTS: dict[ProviderName, str] = {
    "chat": f"{waiting.ACCOUNT}balance-chat",
    "images": f"{waiting.ACCOUNT}balance-images",
}
_RECONCILED = f"{waiting.ACCOUNT}reconciled"


@dataclass(frozen=True, slots=True)
class _Told:
    """An account as its provider told of it, and when; how it fell since, beside the ledger."""

    account: Account
    at: datetime
    drop: BalanceDrop | AppError | None = None


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
        _take()
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
    accounts = session.studio().accounts

    def chat() -> _Told:
        account = accounts.chat_account()
        told = _Told(account, datetime.now(UTC))
        try:
            return replace(told, drop=accounts.balance_drop(account))
        except AppError as error:  # no reason not to tell what is left
            return replace(told, drop=error)

    waiting.begin(_ACCOUNTS["chat"], chat)
    waiting.begin(_ACCOUNTS["images"], lambda: _Told(accounts.image_account(), datetime.now(UTC)))


def _reconcile(*, is_anew: bool = False) -> None:
    waiting.begin(_RECONCILED, session.studio().accounts.reconcile, is_anew=is_anew)


def _take() -> None:
    """Take what was asked for, as soon as it has come."""
    known = session.state()
    for name, asked in _ACCOUNTS.items():
        if not waiting.is_told(asked):
            continue
        try:
            told: _Told = waiting.told(asked)
        except AppError as error:
            known.balances[name] = error, datetime.now(UTC)
            continue
        known.balances[name] = told.account, told.at
        if isinstance(told.drop, AppError):
            known.error = told.drop
        elif name == "chat":
            known.balance_drop = told.drop
    if waiting.is_told(_RECONCILED):
        try:
            known.reconciled = waiting.told(_RECONCILED)
        except AppError as error:
            known.error = error
    waiting.draw_awaited((*_ACCOUNTS.values(), _RECONCILED), text("status.checking"))


@keeping_errors()
def _adopt() -> None:
    found = session.state().reconciled
    for one in found.of("foreign") if found is not None else ():
        session.studio().accounts.adopt_billed(one)
    _reconcile(is_anew=True)  # one that is under way has not seen them


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
