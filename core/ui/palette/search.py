"""The command palette: one box that finds conversations, pictures and pages, and opens them."""

from html import escape
from typing import Literal

import streamlit as st

from core.errors import AppError
from core.markdown.escaping import literal
from core.ui import opened, session
from core.ui.conversations import title_of
from core.ui.frame.pages import PAGES
from core.ui.session import text

_QUERY = "palette-query"
_BEGINNING = 3
_CONVERSATIONS, _LOOKED_AT, _PICTURES, _SNIPPET = 6, 20, 4, 60
_STYLE = """<style>
.st-key-palette-results button, .st-key-palette-results button > * {
    justify-content: flex-start; text-align: start;
}
</style>"""


def open_palette(what: Literal["search", "sheet"]) -> None:
    """Show the search, or the sheet of shortcuts, from the next run on."""
    session.state().palette = what
    st.session_state.pop(_QUERY, None)


def close_palette() -> None:
    """Show neither from the next run on."""
    session.state().palette = None


def go(page: str, query: dict[str, str] | None) -> None:
    """Show a page at an address from the next run on; without one, its beginning."""
    close_palette()
    if page == "pages/chat.py":
        session.state().conversation_id = None
    session.go_to(page, query)


def draw() -> None:
    """Draw the box and what is found; what is chosen there opens."""

    @st.dialog(text("palette.title"), icon=":material/search:", on_dismiss=close_palette)
    def dialog() -> None:
        st.html(_STYLE)
        query = st.text_input(
            text("palette.label"),
            placeholder=text("palette.placeholder"),
            label_visibility="collapsed",
            icon=":material/search:",
            type="search",
            live=True,  # after a pause of 250 ms; another pause would load pandas
            key=_QUERY,
        ).strip()
        with st.container(key="palette-results", gap="xsmall"):
            try:
                pages = _pages(query)
                named = [name for name in pages if _names(query, name)]
                _draw_pages(named)  # Enter opens what stands first
                is_found = _draw_conversations(query)
                is_found |= bool(query) and _draw_pictures(query)
            except AppError as error:
                session.show_error(error)
                return
            _draw_pages([name for name in pages if name not in named])
            if not is_found and not pages:
                st.caption(text("palette.nothing"))
            st.html(f'<span data-palette-query="{escape(query)}"></span>')

    dialog()


def _draw_conversations(query: str) -> bool:
    store, owner = session.studio().store, session.owner()
    if not query:
        for one in store.conversations.list(owner, limit=_CONVERSATIONS, with_http=False).items:
            _row(f"open-{one.id}", title_of(one), "chat_bubble", opened.link_to(one.id))
        return True
    found = store.search.find(owner, query, limit=_LOOKED_AT).items
    # The newest place in each conversation.
    hits = list({hit.conversation.id: hit for hit in reversed(found)}.values())[::-1]
    hits = hits[:_CONVERSATIONS]
    for number, hit in enumerate(hits):
        words = " ".join(hit.snippet.split())[:_SNIPPET]
        label = title_of(hit.conversation)
        if hit.message_id is not None:
            label = f"{label} · :small[{literal(words)}]"
        _row(
            f"hit-{number}",
            label,
            "chat_bubble",
            opened.link_to(hit.conversation.id, hit.message_id),
        )
    return bool(hits)


def _draw_pictures(query: str) -> bool:
    gallery, owner = session.studio().store.gallery, session.owner()
    found = gallery.list_pictures(owner, text=query, limit=_PICTURES).items
    for item in found:
        prompt = " ".join(item.generation.request.prompt.split())[:_SNIPPET]
        _row(
            f"picture-{item.picture.id}",
            literal(prompt),
            "image",
            {"p": item.picture.id},
            "pages/gallery.py",
        )
    return bool(found)


def _pages(query: str) -> list[str]:
    wanted = query.casefold()
    return [name for name in PAGES if wanted in text(f"nav.{name}").casefold() or wanted in name]


def _names(query: str, page: str) -> bool:
    """Whether a page is what is meant: its whole name, or three letters that it begins with."""
    wanted, names = query.casefold(), (text(f"nav.{page}").casefold(), page)
    return wanted in names or (
        len(wanted) >= _BEGINNING and any(name.startswith(wanted) for name in names)
    )


def _draw_pages(names: list[str]) -> None:
    for name in names:
        _row(f"page-{name}", text(f"nav.{name}"), PAGES[name], {}, f"pages/{name}.py")


def _row(
    key: str, label: str, icon: str, query: dict[str, str], page: str = "pages/chat.py"
) -> None:
    # A form's button or a link would leave the dialog open behind it.
    st.button(
        label,
        icon=f":material/{icon}:",
        type="tertiary",
        width="stretch",
        wrap=False,
        key=f"palette-{key}",
        on_click=go,
        args=(page, query),
    )
