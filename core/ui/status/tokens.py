"""Access tokens on the Status page: made with scopes and limits, shown once, taken back."""

from datetime import UTC, datetime
from decimal import Decimal

import streamlit as st

from core.access.issued_tokens import IssuedToken
from core.access.passes import NAME_LENGTH
from core.errors import StoreError
from core.models.access_scopes import ACCESS_SCOPES
from core.models.money.ledger import Period
from core.ui import formats, session
from core.ui.buttons import button, keeping_errors
from core.ui.money.words import amount_words
from core.ui.session import text

_PERIODS: tuple[Period, ...] = ("day", "month")
_CURRENCIES = ("CNY", "USD", "PRACTICE")
_KEYS = {
    name: f"token-{name}" for name in ("name", "scopes", "minute", "amount", "period", "currency")
}


def draw() -> None:
    """Draw the tokens that programs come in with, and how one is made."""
    with st.container(border=True):
        st.markdown(f"**{text('tokens.title')}**")
        st.caption(text("tokens.about"))
        try:
            if (new := session.state().new_token) is not None:
                _draw_new(*new)
            _draw_all()
        except StoreError as error:
            session.show_error(error)
        with st.expander(text("tokens.new"), icon=":material/add:"):
            _draw_form()


def _draw_new(name: str, token: str) -> None:
    st.success(text("tokens.made", name=formats.code_span(name)), icon=":material/key:")
    st.code(token, language=None, wrap_lines=True)
    button("tokens.hide", "visibility_off", "token-hide", _hide)


def _draw_all() -> None:
    studio = session.studio()
    named = studio.settings.access.tokens
    scopes = studio.settings.access.token_scopes
    for name in named:
        words = _scope_words(scopes[name]) if name in scopes else text("tokens.all")
        with st.container(gap=None):
            _draw_words(name, words, text("tokens.from_settings"))
    for one in studio.tokens.all():
        _draw_one(one)


def _draw_one(one: IssuedToken) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    with row.container(width="stretch", gap=None):
        _draw_words(one.name, *_facts(one))
    with row:
        button("way_in.revoke", "block", f"token-revoke-{one.digest[:16]}", _revoke, one.digest)


def _draw_words(name: str, *facts: str) -> None:
    st.markdown(formats.code_span(name))
    st.caption(" · ".join(facts).replace("$", "\\$"))


def _facts(one: IssuedToken) -> list[str]:
    facts = [_scope_words(one.scopes)]
    if one.budget is not None:
        limit = amount_words(one.budget.limit, one.budget.currency)
        facts.append(text(f"tokens.budget_{one.budget.period}", limit=limit))
    if one.per_minute is not None:
        facts.append(text("tokens.minute_is", count=one.per_minute))
    facts.append(text("tokens.since", made=_moment(one.made_at)))
    used = text("tokens.unused")
    if one.used_at is not None:
        used = text("tokens.used", used=_moment(one.used_at))
    return [*facts, used]


def _scope_words(scopes: frozenset[str]) -> str:
    return text("tokens.join").join(text(f"tokens.{one}") for one in ACCESS_SCOPES if one in scopes)


def _moment(at: float) -> str:
    return formats.moment(datetime.fromtimestamp(at, UTC))


def _draw_form() -> None:
    st.text_input(
        text("tokens.name"),
        max_chars=NAME_LENGTH,
        key=_KEYS["name"],
        placeholder=text("tokens.name_example"),
    )
    st.pills(
        text("tokens.scopes"),
        ACCESS_SCOPES,
        selection_mode="multi",
        default=["chat"],
        format_func=lambda one: text(f"tokens.{one}"),
        help=text("tokens.scopes_help"),
        key=_KEYS["scopes"],
    )
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.number_input(
        text("tokens.budget"),
        min_value=0.0,
        value=None,
        step=1.0,
        format="%.2f",
        placeholder=text("tokens.no_limit"),
        key=_KEYS["amount"],
        width=150,
    )
    row.selectbox(
        text("money.currency"),
        _CURRENCIES,
        format_func=lambda one: text("money.practice_name") if one == "PRACTICE" else one,
        key=_KEYS["currency"],
        width=130,
    )
    row.selectbox(
        text("money.period"),
        _PERIODS,
        format_func=lambda one: text(f"tokens.per_{one}"),
        key=_KEYS["period"],
        width=130,
    )
    row.number_input(
        text("tokens.minute"),
        min_value=1,
        max_value=6_000,
        value=None,
        step=10,
        placeholder=text("tokens.no_limit"),
        key=_KEYS["minute"],
        width=150,
    )
    button("tokens.make", "key", "token-make", _make, type="primary")
    if (error := session.state().error) is not None:
        session.show_error(error)
        session.state().error = None


@keeping_errors()
def _make() -> None:
    state, studio = st.session_state, session.studio()
    amount = state[_KEYS["amount"]]
    limit = None
    if amount is not None:
        limit = (state[_KEYS["period"]], Decimal(f"{amount:.2f}"), state[_KEYS["currency"]])
    name = str(state[_KEYS["name"]])
    scopes = frozenset(state[_KEYS["scopes"]])
    token = studio.tokens.issue(name, scopes, per_minute=state[_KEYS["minute"]], limit=limit)
    studio.budgets.load()
    session.state().new_token = (name, token)
    state[_KEYS["name"]], state[_KEYS["amount"]], state[_KEYS["minute"]] = "", None, None


@keeping_errors()
def _revoke(digest: str) -> None:
    session.studio().tokens.revoke(digest)
    session.studio().budgets.load()
    session.state().new_token = None


def _hide() -> None:
    session.state().new_token = None
