"""All conversations, a page at a time: open, pin, rename, export, delete and take that back."""

import json

import streamlit as st

from core.errors import AppError
from core.models.chat import Conversation
from core.storage.chat.conversations import UsageTotals
from core.ui import clock, opened, pager, session
from core.ui import conversations as shared
from core.ui.buttons import button, download, keeping_errors
from core.ui.formats import moment, usage_line
from core.ui.history.markdown_export import file_name, markdown_of
from core.ui.session import text

ROWS_SHOWN = 20


def draw() -> None:
    """Draw one page of conversations, pinned ones first, then the newest."""
    conversations = session.studio().store.conversations
    try:
        count = conversations.count(session.owner())
        page = conversations.list(session.owner(), limit=ROWS_SHOWN, cursor=pager.cursor("history"))
    except AppError as error:
        session.show_error(error)
        return
    if count == 0:
        _draw_empty()
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(text("history.count", count=f"{count:,}"))
        pager.draw("history", page.next_cursor, place="above")
    if any(conversation.origin == "http" for conversation in page.items):
        st.caption(text("history.http"))
    running = session.studio().answers.running_conversations()
    for conversation in page.items:
        _draw_row(conversation, is_running=conversation.id in running)
    pager.draw("history", page.next_cursor, place="below")


def _draw_empty() -> None:
    with st.container(horizontal_alignment="center", gap="small"):
        st.space("medium")
        st.caption(text("history.empty"), width="content")
        st.page_link("pages/chat.py", label=text("chat.new"), icon=":material/add:")


def _draw_row(conversation: Conversation, *, is_running: bool) -> None:
    with st.container(border=True, gap=None, key=f"row-{conversation.id}"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.page_link(
                "pages/chat.py",
                label=shared.title_of(conversation),
                icon=shared.icon_of(conversation, is_running),
                query_params=opened.link_to(conversation.id),
                width="stretch",
            )
            menu = st.popover(
                ":material/more_vert:",
                help=text("action.more"),
                type="tertiary",
                key=_menu_key(conversation),
                on_change="rerun",
            )
        if menu.open:  # a closed popover's content would be sent all the same
            with menu:
                _draw_menu(conversation)
        st.caption(
            f"{shared.origin_mark(conversation)}{moment(conversation.updated_at)}"
            f" · {_totals_line(conversation)}"
        )


def _totals_line(conversation: Conversation) -> str:
    try:
        totals = session.studio().store.conversations.usage_totals(session.owner(), conversation.id)
    except AppError as error:  # deleted in another tab a moment ago
        return session.error_text(error)
    return totals_line(totals)


def totals_line(totals: UsageTotals) -> str:
    """Return how many answers there are and what they used, as far as the provider told."""
    if totals.answers == 0:
        return text("history.no_answers")
    parts = [text("history.answers", count=totals.answers), usage_line(totals.usage)]
    # Where nobody told anything, the line says so already.
    if 0 < totals.answers_without_usage < totals.answers:
        parts.append(text("history.without_usage", count=totals.answers_without_usage))
    return " · ".join(parts)


def _menu_key(conversation: Conversation) -> str:
    return f"row-menu-{conversation.id}"


def _draw_menu(conversation: Conversation) -> None:
    key = f"title-{conversation.id}"
    with st.form(f"rename-{conversation.id}", border=False):
        st.text_input(
            text("chat.title_label"),
            value=conversation.title,
            max_chars=shared.TITLE_LIMIT,
            key=key,
        )
        st.form_submit_button(
            text("chat.rename"),
            icon=":material/edit:",
            width="stretch",
            on_click=_rename,
            args=(conversation, key),
        )
    pin = ("chat.unpin", "keep_off") if conversation.pinned else ("chat.pin", "keep")
    button(*pin, f"pin-{conversation.id}", _pin, conversation, width="stretch")
    draw_export(conversation)
    key = f"delete-{conversation.id}"
    button("chat.delete", "delete", key, _delete, conversation, width="stretch")


def draw_export(conversation: Conversation) -> None:
    """Draw the downloads of one conversation, as Markdown and as JSON."""
    # What a deferred download calls runs outside the session: everything it needs is taken now.
    store, owner, language = session.studio().store, session.owner(), session.language()
    reader = clock.zone()
    download(
        "history.export_markdown",
        f"markdown-{conversation.id}",
        lambda: markdown_of(store, owner, language, conversation, reader),
        file_name(conversation, "md", reader),
        "text/markdown",
        width="stretch",
    )
    download(
        "history.export_json",
        f"json-{conversation.id}",
        lambda: json.dumps(store.exports.conversation(owner, conversation.id), ensure_ascii=False),
        file_name(conversation, "json", reader),
        "application/json",
        width="stretch",
    )


@keeping_errors()
def _rename(conversation: Conversation, key: str) -> None:
    title = st.session_state.get(key)
    if title is None:  # the page is gone, and the field with it
        return
    shared.rename(conversation, title)
    st.session_state[_menu_key(conversation)] = False


@keeping_errors()
def _pin(conversation: Conversation) -> None:
    shared.turn_pin(conversation)
    st.session_state[_menu_key(conversation)] = False


@keeping_errors()
def _delete(conversation: Conversation) -> None:
    shared.delete(conversation)
