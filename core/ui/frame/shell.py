"""The frame around every page: name, navigation, language."""

import streamlit as st

from core.texts import catalogue
from core.ui import formats, placeholders, session
from core.ui import visitor as access
from core.ui.buttons import button
from core.ui.frame import browser, copying, lean_drawing, navigation, page_files, presses
from core.ui.frame.pages import PAGES
from core.ui.palette import shortcuts
from core.ui.session import text
from core.ui.start.configuration import ROOT

LANGUAGE_KEY = "language-choice"


def draw() -> None:
    """Draw the frame and the page that was asked for."""
    lean_drawing.draw_leanly()
    st.set_page_config(page_icon=placeholders.ICON)
    pages = [
        st.Page(
            ROOT / "pages" / f"{name}.py",
            title=text(f"nav.{name}"),
            icon=f":material/{icon}:",
            url_path=name,
            default=name == "chat",
        )
        for name, icon in PAGES.items()
    ]
    presses.finish_presses()
    presses.judge_presses(session.is_who_it_was_drawn_for)
    navigation.claim_navigation()  # a host that only runs scripts has begun without it
    page = st.navigation(pages)
    is_wide = page.url_path in ("images", "gallery", "xray")
    st.set_page_config(layout="wide" if is_wide else "centered")
    if page.url_path != "":  # the chat page's tab is named by its conversation
        st.set_page_config(page_title=text("app.tab", name=page.title))
    st.logo(placeholders.LOGO, size="large", icon_image=placeholders.ICON)
    browser.draw()
    page_files.draw_style("frame")
    copying.install()
    _draw_language()
    _draw_person()
    _draw_pass()
    shortcuts.draw()
    page.run()


def _draw_person() -> None:
    if not access.can_sign_in():
        return
    address = access.signed_in_address()
    with st.sidebar:
        if address is None:
            button("access.sign_in", "login", "sign-in", st.login, type="tertiary")
            return
        st.caption(text("access.signed_in", address=address))
        button("access.sign_out", "logout", "sign-out", st.logout, type="tertiary")


def _draw_pass() -> None:
    if session.pass_name() is None:
        return
    with st.sidebar:
        st.caption(text("way_in.let_in", name=formats.code_span(session.pass_name() or "")))
        button("way_in.leave", "logout", "leave", session.leave, type="tertiary")


def _draw_language() -> None:
    with st.sidebar:
        st.segmented_control(
            text("app.language"),
            catalogue.LANGUAGES,
            default=session.language(),
            required=True,
            format_func=catalogue.LANGUAGE_NAMES.__getitem__,
            label_visibility="collapsed",
            key=LANGUAGE_KEY,
            on_change=lambda: session.choose_language(st.session_state[LANGUAGE_KEY]),
            width="stretch",
        )
