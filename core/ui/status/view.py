"""Shows who serves what; a key is checked by a call that costs nothing, and never shown.

What a check found stays beside its provider for the session, until the next check.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

import streamlit as st

from core import __version__
from core.errors import AppError, NotFoundError
from core.providers.deepseek.wire import Balance
from core.providers.kling.wire import AccountCosts
from core.ui import reachable, session
from core.ui.buttons import button
from core.ui.frame import copying, setup_card
from core.ui.live import waiting
from core.ui.session import text
from core.ui.session_state import Account, ProviderName
from core.ui.status import backups
from core.work.money.accounts import Accounts
from core.work.services import Mode

Standing = Literal["unchecked", "accepted", "refused", "practice", "unusable"]

_COLOURS: dict[Standing, Literal["gray", "green", "blue", "red"]] = {
    "unchecked": "gray",
    "accepted": "green",
    "refused": "red",
    "practice": "blue",
    "unusable": "red",
}


def draw_chat() -> None:
    """Draw who answers, and the account behind it on request."""
    settings, accounts = session.studio().settings.chat, session.studio().accounts
    facts = None
    if settings is not None:
        facts = {
            text("status.server"): urlsplit(settings.url).netloc,
            text("status.model"): settings.model,
        }
    _draw_provider("chat", session.chat_mode(), facts, partial(_chat_account, accounts))


def draw_images() -> None:
    """Draw who makes pictures, and the account behind it on request."""
    settings = session.studio().settings.kling
    facts = None
    if settings is not None:
        facts = {text("status.server"): urlsplit(settings.origin).netloc}
    _draw_provider("images", session.image_mode(), facts, session.studio().accounts.image_account)


def draw_storage() -> None:
    """Draw where conversations and pictures are kept."""
    studio = session.studio()
    with st.container(border=True):
        st.markdown(f"**{text('status.storage')}**")
        _fact(text("status.database"), studio.store.place)
        _fact(text("status.archive"), studio.archive.place)
        try:
            counts = studio.store.generation_lists.counts()
        except AppError as error:
            session.show_error(error)
            return
        open_count = sum(count for status, count in counts.items() if not status.is_final)
        st.caption(f"{text('status.pending')} · {open_count}")
        if (hearing := studio.answers.relay.state) != "off":  # of one database several may work
            st.caption(text(f"status.between_{hearing}"))
        backups.draw()


def draw_settings() -> None:
    """Draw the button that reads the settings again, and what came of it."""
    setup_card.draw_reread("reread-settings")


def draw_http() -> None:
    """Say whether other front ends are served here."""
    with st.container(border=True):
        st.markdown(f"**{text('status.http')}**")
        if reachable.is_http_served():
            st.markdown(f"{text('status.http_on')} `/openapi.json`")
        else:
            st.markdown(text("status.http_off"))


def draw_version() -> None:
    """Say which version this is, as `/openapi.json` does."""
    st.caption(text("status.version", version=__version__))


def _draw_provider(
    name: ProviderName,
    mode: Mode,
    facts: Mapping[str, str] | None,
    ask: Callable[[], Account],
) -> None:
    with st.container(border=True):
        head = st.container(horizontal=True, vertical_alignment="center")
        head.markdown(f"**{text(f'status.{name}')}**")
        place = head.empty()  # what is written there is known only after a check in this very run
        if mode == "practice":
            st.caption(text("status.practice_account"))
            if session.is_trusted():
                setup_card.draw(name)
        elif facts is not None:
            for fact, value in facts.items():
                _fact(fact, value)
            button("status.check", "key", f"check-{name}", waiting.begin, _asked(name), ask)
            _take_check(name)
            if (check := session.state().checks.get(name)) is not None:
                _draw_check(check)
        standing = _standing(name, mode)
        place.badge(text(f"status.mode_{standing}"), color=_COLOURS[standing])


def _standing(name: ProviderName, mode: Mode) -> Standing:
    if mode != "live":
        return mode
    check = session.state().checks.get(name)
    if check is None:
        return "unchecked"
    return "refused" if isinstance(check, AppError) else "accepted"


def _asked(name: ProviderName) -> str:
    return f"{waiting.ACCOUNT}check-{name}"


def _take_check(name: ProviderName) -> None:
    checks, asked = session.state().checks, _asked(name)
    if waiting.is_told(asked):
        try:
            checks[name] = waiting.told(asked)
        except AppError as error:
            checks[name] = error
    waiting.draw_awaited([asked], text("status.checking"))


def _draw_check(check: Account | AppError) -> None:
    if isinstance(check, AppError):
        session.show_error(check)
    elif isinstance(check, Balance):
        _draw_balance(check)
    elif isinstance(check, AccountCosts):
        _draw_packs(check)
    else:
        st.success(text("status.checked"))


def _fact(name: str, value: str) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(name, width="content")
        copying.draw_box(value, text("copy.value", name=name), is_code=True)


def _chat_account(accounts: Accounts) -> Account:
    try:
        return accounts.chat_account()
    except NotFoundError:  # another server than DeepSeek's: its list of models tells enough
        accounts.check_chat_key()
        return None


def _draw_balance(balance: Balance) -> None:
    if not balance.is_available:
        st.warning(text("status.not_available"))
        return
    lines = [
        text("status.balance", total=f"{one.total}", currency=one.currency)
        for one in balance.currencies
    ]
    st.success("  \n".join([text("status.checked"), *lines]))


def _draw_packs(costs: AccountCosts) -> None:
    if not costs.packs:
        st.success(text("status.no_packs"))
        return
    lines = [
        text(
            "status.pack",
            name=pack.name,
            remaining=_amount(pack.remaining),
            total=_amount(pack.total),
            status=pack.status,
        )
        for pack in costs.packs
    ]
    st.success("\n".join([text("status.packs"), "", *(f"- {line}" for line in lines)]))


def _amount(amount: float | None) -> str:
    return text("status.pack_unknown") if amount is None else f"{amount:g}"
