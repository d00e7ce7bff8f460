"""Finding what was said: one box over all conversations, each hit a link to its place."""

import streamlit as st

from core.errors import AppError
from core.markdown.escaping import literal
from core.storage.chat.search import SearchHit
from core.storage.db.pagination import Page
from core.ui import opened, pager, session
from core.ui.conversations import origin_mark, title_of
from core.ui.formats import moment
from core.ui.session import text

QUERY_KEY = "history-query"
REASONING_KEY = "history-with-reasoning"
HITS_SHOWN = 20


def draw_box() -> str:
    """Draw the search box; return what is looked for."""
    query = st.text_input(
        text("history.search"),
        placeholder=text("history.search_placeholder"),
        label_visibility="collapsed",
        icon=":material/search:",
        type="search",
        live=True,  # after a pause of 250 ms; another pause would load pandas
        key=QUERY_KEY,
        on_change=pager.begin_again,
        args=("found",),
        persist_state="session",
    )
    return query.strip()


def draw_hits(query: str) -> None:
    """Draw what was found, newest first."""
    with_reasoning = st.toggle(
        text("history.with_reasoning"),
        key=REASONING_KEY,
        on_change=pager.begin_again,
        args=("found",),
        persist_state="session",
    )
    try:
        page = _found(query, with_reasoning=with_reasoning)
    except AppError as error:
        session.show_error(error)
        return
    if not page.items:
        st.info(text("history.nothing_found", query=literal(query)), icon=":material/search_off:")
    for number, hit in enumerate(page.items):
        _draw_hit(number, hit)
    pager.draw("found", page.next_cursor, place="below")


def hit_in(message_id: str) -> SearchHit | None:
    """Return what the search on the history page found in a message; None: nothing."""
    query = st.session_state.get(QUERY_KEY, "").strip()
    if not query:
        return None
    try:
        page = _found(query, with_reasoning=st.session_state.get(REASONING_KEY, False))
    except AppError:  # the turn is shown all the same
        return None
    return next((hit for hit in page.items if hit.message_id == message_id), None)


def _found(query: str, *, with_reasoning: bool) -> Page[SearchHit]:
    return session.studio().store.search.find(
        session.owner(),
        query,
        limit=HITS_SHOWN,
        cursor=pager.cursor("found"),
        with_reasoning=with_reasoning,
    )


def _draw_hit(number: int, hit: SearchHit) -> None:
    with st.container(border=True, gap="xsmall", key=f"hit-{number}"):
        st.page_link(
            "pages/chat.py",
            label=title_of(hit.conversation),
            icon=":material/chat_bubble:",
            query_params=opened.link_to(hit.conversation.id, hit.message_id),
        )
        st.markdown(marked(hit))
        kind = text(f"history.hit_{hit.role or 'title'}")
        st.caption(f"{origin_mark(hit.conversation)}{kind} · {moment(hit.at)}")


def marked(hit: SearchHit) -> str:
    """Return the snippet as Markdown that shows its words literally, the matches marked."""
    parts, end = [], 0
    for start, stop in hit.matches:
        parts.append(literal(hit.snippet[end:start]))
        parts.append(f":primary-background[{literal(hit.snippet[start:stop])}]")
        end = stop
    return "".join([*parts, literal(hit.snippet[end:])])
