"""The sidebar's list of conversations: links by day, each with a menu of its own, all within reach.

A component draws it (components/conversations.js): Streamlit has no list of links with menus, and
1,000 rows of its elements would be 3,000 messages. What is chosen there comes back as a trigger.
Where it does not run, the History page lists everything with Streamlit's own elements.
"""

import json
from collections.abc import Container, Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from core.models.chat import Conversation
from core.ui import clock, conversations, opened, session
from core.ui.buttons import button, keeping_errors
from core.ui.chat.listing.date_groups import grouped
from core.ui.frame import page_files
from core.ui.history.markdown_export import file_name, markdown_of
from core.ui.session import text
from core.ui.session_state import PreparedDownload
from core.wire.masking.secrets import known_secrets

FIRST_SHOWN = 40
SHOWN_MORE = 120
KEY = "conversation-list"
_TEXTS = {
    **{name: f"chat.{name}" for name in ("rename", "pin", "unpin", "delete", "title_label")},
    **{name: f"sidebar.{name}" for name in ("list", "menu", "more", "running")},
    "markdown": "history.export_markdown",
    "json": "history.export_json",
}


def draw(current: Conversation | None) -> None:
    """Draw the list, the open conversation marked, running ones with a sign; name the tab."""
    _name_tab(current)
    with st.sidebar:
        key, open_new = "new-conversation", opened.open_conversation
        button("chat.new", "add", key, open_new, None, width="stretch")
        listed, has_more = _listed(current)
        if not listed:
            st.caption(text("chat.none_yet"))
            return
        page_files.component("conversations")(
            key=KEY,
            data={
                "groups": _groups(listed, current),
                "has_more": has_more,
                "download": _taken_download(),
                "texts": {name: text(text_id, title="{title}") for name, text_id in _TEXTS.items()},
            },
            on_act_change=_act,
        )


def _name_tab(current: Conversation | None) -> None:
    name = _shortened(current.title) if current is not None else ""
    st.set_page_config(page_title=text("app.tab", name=name or text("nav.chat")))


def _shortened(title: str) -> str:
    """Return a title as one line, masked before it is cut: half a key is none that is known."""
    return " ".join(known_secrets.wash(title).split())[: conversations.TITLE_LIMIT]


def _listed(current: Conversation | None) -> tuple[list[Conversation], bool]:
    """Return the conversations to list, and whether there are more behind them."""
    store, owner = session.studio().store.conversations, session.owner()
    wanted = session.state().conversations_shown or FIRST_SHOWN
    listed: list[Conversation] = []
    cursor = None
    while len(listed) < wanted:
        # Other front ends may ask hundreds of times a day: those are in the history.
        page = store.list(owner, limit=wanted - len(listed), cursor=cursor, with_http=False)
        listed += page.items
        if (cursor := page.next_cursor) is None:
            break
    if current is not None and all(one.id != current.id for one in listed):
        listed.append(current)
        listed.sort(key=lambda one: (one.pinned, one.updated_at), reverse=True)
    return listed, cursor is not None


def _groups(listed: list[Conversation], current: Conversation | None) -> list[dict[str, Any]]:
    running = session.studio().answers.running_conversations()
    reader = clock.zone()
    today = datetime.now(UTC).astimezone(reader).date()
    return [
        {
            "name": text(f"sidebar.{group}"),
            "rows": [_row(one, current, running) for one in ones],
        }
        for group, ones in grouped(listed, today, reader)
    ]


def _row(
    one: Conversation, current: Conversation | None, running: Container[str]
) -> dict[str, Any]:
    """Return what a row shows: every run sends the list, so what is not so is left out."""
    marks = {
        "current": current is not None and one.id == current.id,
        "running": one.id in running,
        "pinned": one.pinned,
        "http": one.origin == "http",
    }
    title = _shortened(one.title) or text("chat.untitled")
    return {"id": one.id, "title": title, **{name: 1 for name, is_so in marks.items() if is_so}}


@keeping_errors()
def _act() -> None:
    """Do what was chosen in the list."""
    act = st.session_state[KEY].get("act")
    if not isinstance(act, Mapping):
        return
    if act.get("do") == "more":
        known = session.state()
        known.conversations_shown = (known.conversations_shown or FIRST_SHOWN) + SHOWN_MORE
        return
    conversation_id = str(act.get("id"))
    if act.get("do") == "open":
        opened.open_conversation(conversation_id)
        return
    conversation = session.studio().store.conversations.get(session.owner(), conversation_id)
    if conversation is None:  # deleted in another tab a moment ago
        session.state().notice = text("chat.gone")
        return
    match act.get("do"):
        case "rename":
            title = str(act.get("title", ""))[: conversations.TITLE_LIMIT]
            conversations.rename(conversation, title)
        case "pin":
            conversations.turn_pin(conversation)
        case "delete":
            conversations.delete(conversation)
            if session.state().conversation_id == conversation.id:
                opened.open_conversation(None)
        case "markdown" | "json" as kind:
            session.state().download = _download(conversation, kind)


def _download(conversation: Conversation, kind: str) -> PreparedDownload:
    store, owner, reader = session.studio().store, session.owner(), clock.zone()
    if kind == "json":
        content = store.exports.conversation(owner, conversation.id)
        name = file_name(conversation, "json", reader)
        return PreparedDownload(name, "application/json", json.dumps(content, ensure_ascii=False))
    words = markdown_of(store, owner, session.language(), conversation, reader)
    return PreparedDownload(file_name(conversation, "md", reader), "text/markdown", words)


def _taken_download() -> dict[str, str] | None:
    """Return the file that was asked for, once, for the browser to save."""
    known = session.state()
    made, known.download = known.download, None
    if made is None:
        return None
    return {"id": made.id, "name": made.name, "type": made.media_type, "content": made.content}
