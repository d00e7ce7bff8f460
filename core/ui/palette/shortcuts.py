"""Keyboard shortcuts: what a key does on every page, and the sheet that lists them."""

import streamlit as st

from core.ui import opened, session
from core.ui.buttons import button, keeping_errors
from core.ui.frame import page_files, presses
from core.ui.palette import search
from core.ui.session import text

_KEY, BUTTON = "shortcuts", "show-shortcuts"
_NEIGHBOURS = 100  # among so many of the newest conversations the one above and below are found
# What each key does; `Mod` is ⌘ on a Mac and Ctrl elsewhere.
SHEET = {
    "Mod+K": "search",
    "Alt+N": "new",
    "Alt+↑ / Alt+↓": "neighbours",
    "Esc": "stop",
    "Alt+C": "copy",
    "Alt+T": "thinking",
    "↑": "edit",
    "Enter": "send",
    "Shift+Enter": "newline",
    "Delete": "delete",
    "?": "sheet",
}


def draw() -> None:
    """Install the shortcuts, do what one of them asked for, and draw what it opened."""
    if (target := session.state().go_to) is not None:
        with presses.undisturbed():
            session.state().go_to = None
            st.switch_page(target.page, query_params=target.query)
    with st.container(key=_KEY):
        page_files.component("shortcuts")(key="inkling-shortcuts", on_act_change=_act)
    with st.sidebar:
        key, action = "open-search", search.open_palette
        button("palette.title", "search", key, action, "search", width="stretch")
    if session.state().palette == "search":
        search.draw()
    elif session.state().palette == "sheet":
        _draw_sheet()


def draw_button() -> None:
    """Draw the small button that shows the sheet."""
    st.button(
        text("keyboard.title"),
        icon=":material/keyboard:",
        help=text("keyboard.title"),
        key=BUTTON,
        type="tertiary",
        on_click=search.open_palette,
        args=("sheet",),
    )


@keeping_errors()
def _act() -> None:
    match st.session_state["inkling-shortcuts"].get("act"):
        case "search" | "sheet" as what:
            search.open_palette(what)
        case "new":
            search.go("pages/chat.py", None)
        case "previous":
            _step(-1)
        case "next":
            _step(+1)


def _step(step: int) -> None:
    """Open the conversation above or below the open one in the list."""
    store = session.studio().store.conversations
    listed = store.list(session.owner(), limit=_NEIGHBOURS, with_http=False).items
    ids = [one.id for one in listed]
    current = session.state().conversation_id
    at = ids.index(current) + step if current in ids else 0
    if 0 <= at < len(ids):
        search.go("pages/chat.py", opened.link_to(ids[at]))


def _draw_sheet() -> None:
    @st.dialog(text("keyboard.title"), icon=":material/keyboard:", on_dismiss=search.close_palette)
    def dialog() -> None:
        mod = "⌘" if "Mac" in (st.context.headers.get("user-agent") or "") else "Ctrl"
        rows = [
            f"| `{keys.replace('Mod', mod)}` | {text(f'keyboard.{name}')} |"
            for keys, name in SHEET.items()
        ]
        head = f"| {text('keyboard.key')} | {text('keyboard.what')} |\n|---|---|"
        st.markdown("\n".join([head, *rows]))

    dialog()
