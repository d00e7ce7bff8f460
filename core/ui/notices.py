"""What stands above a page: who serves it, what is badly configured, what just happened."""

import string

import streamlit as st

from core.access.callers import Verdict
from core.access.network.addresses import parse
from core.settings import CHAT_SETTINGS, KLING_SETTINGS
from core.ui import reachable, session
from core.ui import visitor as access
from core.ui.frame import practice_notice
from core.ui.session import text

# What the owner pastes into the secrets: one of two ways to let others in.
_LINES = """[access]
open = true                               # whoever reaches this page may spend
# users = ["you@example.com", "example.org"]  # or: who signs in ([auth]) with one of these"""


_NAME_SIGNS = frozenset(string.ascii_letters + string.digits + "-_.:/[]%")


def chat_notices() -> None:
    """Say when chat is served by practice or by nobody, and what just happened."""
    if not _stranger_notice() and session.chat_mode() == "practice":
        practice_notice.draw("chat")
    if session.is_trusted():
        _problems(CHAT_SETTINGS)
        _other_problems()
    news()


def image_notices() -> None:
    """Say when pictures come from practice or from nobody, and what just happened."""
    if not _stranger_notice() and session.image_mode() == "practice":
        practice_notice.draw("images")
    if session.is_trusted():
        _problems(KLING_SETTINGS)
        _other_problems()
    news()


def _stranger_notice() -> bool:
    """Tell a visitor from elsewhere why this is practice, and the owner what opens it."""
    if session.is_trusted():
        return False
    visitor = session.visitor()
    if visitor.standing == "refused":
        st.info(text("access.refused", address=visitor.address), icon=":material/lock:")
        return True
    practice_notice.draw_for_visitor(_draw_why)
    return True


def _draw_why() -> None:
    st.markdown(_why_practice(session.visitor().verdict))
    if access.can_sign_in():
        st.markdown(text("access.sign_in_first"))
    if (entrance := reachable.own_entrance()) is not None:
        st.link_button(text("way_in.enter"), entrance, icon=":material/key:")
    with st.expander(text("access.owner")):
        st.markdown(text("access.how"))
        st.code(_LINES, language="toml")


def _why_practice(verdict: Verdict | None) -> str:
    """Say what it is that keeps this visitor from being taken for the owner."""
    # Sent by whoever visits, drawn as Markdown: nothing but names and addresses.
    seen = "".join(sign for sign in (verdict.seen if verdict else "")[:80] if sign in _NAME_SIGNS)
    match verdict.refusal if verdict else None:
        case "behind_proxy":
            return text("access.stranger_proxy", seen="`behind_proxy`")
        case "elsewhere" if parse(seen) is None and seen:
            return text("access.stranger_proxy", seen=f"`{seen}`")
        case "forwarder" | "another_user" | "host" | "unseen" as kind:
            return text(f"access.stranger_{kind}", seen=f"`{seen or '?'}`")
        case _:
            return text("access.stranger")


def _problems(keys: tuple[str, ...]) -> None:
    for problem in session.studio().settings.problems_of(*keys):
        session.show_error(problem)


def _other_problems() -> None:
    for problem in session.studio().settings.problems:
        if problem.key not in CHAT_SETTINGS and problem.key not in KLING_SETTINGS:
            session.show_error(problem)


def all_problems() -> None:
    """Draw everything that is badly configured."""
    _problems(CHAT_SETTINGS)
    _problems(KLING_SETTINGS)
    _other_problems()


def news() -> None:
    """Say once what just happened."""
    if (notice := session.take_notice()) is not None:
        st.toast(notice)
