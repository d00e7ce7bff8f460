"""All conversations out of the house and in again: JSON both ways, Markdown to read elsewhere."""

import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import tzinfo

import streamlit as st

from core.markdown.escaping import literal
from core.models.chat import Conversation
from core.storage.store import Store
from core.storage.transfer.imports import ImportResult
from core.texts.catalogue import Language
from core.ui import clock, session
from core.ui.buttons import download, keeping_errors
from core.ui.history import large_transfer
from core.ui.history.markdown_export import file_name, markdown_of
from core.ui.session import text

_POPOVER_KEY = "history-transfer"
_READ_AT_ONCE = 200
# What the server takes from a file input (server.maxUploadSize); larger files go beside it.
_UPLOAD_MB = 20
_MEMORY_BYTES = 8 << 20  # a larger file is written to disk while it grows


def draw() -> None:
    """Draw the button behind which everything is exported, and an export is imported."""
    popover = st.popover(
        text("history.transfer"),
        icon=":material/swap_vert:",
        key=_POPOVER_KEY,
        on_change="rerun",
    )
    if popover.open:  # a closed popover's content would be sent all the same
        with popover:
            _draw_exports()
            if large_transfer.is_possible():
                large_transfer.draw(on_done=_close)
            else:
                _draw_import()
            st.caption(text("history.import_help"))


def draw_outcome() -> None:
    """Say what the last import brought."""
    if (imported := session.state().imported) is None:
        return
    session.state().imported = None
    st.success(
        text(
            "history.imported",
            added=imported.added,
            skipped=imported.skipped,
            messages=imported.messages_added,
        ),
        icon=":material/check_circle:",
    )
    if imported.failed:
        st.warning(_failures(imported), icon=":material/warning:")


def _failures(imported: ImportResult) -> str:
    """Return what did not come in, as Markdown: how many, and the first of them by name."""
    lines = [text("history.import_failed", count=imported.failed), ""]
    for one in imported.problems:
        problem = text(f"fact.problem.{one.problem}")
        title = literal(one.title) or text("chat.untitled")
        lines.append(
            text("history.import_problem", number=one.number, title=title, problem=problem)
        )
    if imported.failed > len(imported.problems):
        lines.append("- …")
    return "\n".join(lines)


def _draw_exports() -> None:
    # What a deferred download calls runs outside the session: everything it needs is taken now.
    store, owner, language = session.studio().store, session.owner(), session.language()
    stamp, reader = clock.today(), clock.zone()
    if not large_transfer.is_possible():
        download(
            "history.export_all_json",
            "export-all-json",
            lambda: json.dumps(store.exports.conversations(owner), ensure_ascii=False),
            f"inkling-{stamp}.json",
            "application/json",
            width="stretch",
        )
        download(
            "history.export_all_chatgpt",
            "export-all-chatgpt",
            lambda: b"".join(store.exports.pieces(owner, "chatgpt")),
            f"inkling-{stamp}-chatgpt.json",
            "application/json",
            width="stretch",
        )
    download(
        "history.export_all_markdown",
        "export-all-markdown",
        lambda: markdown_zip(store, owner, language, reader),
        f"inkling-{stamp}-markdown.zip",
        "application/zip",
        "folder_zip",
        width="stretch",
    )


def _draw_import() -> None:
    key = f"import-{session.state().upload_round}"
    st.file_uploader(
        text("history.import"),
        type=["json", "zip"],
        max_upload_size=_UPLOAD_MB,
        key=key,
        on_change=_import,
        args=(key,),
    )


@keeping_errors()
def _import(key: str) -> None:
    known = session.state()
    uploaded = st.session_state[key]
    if uploaded is None:
        return
    known.upload_round += 1
    _close()
    result = session.studio().store.imports.import_file(session.owner(), uploaded)
    known.imported = result


def _close() -> None:
    st.session_state[_POPOVER_KEY] = False  # it would cover the outcome


def markdown_zip(
    store: Store, owner: str, language: Language, reader: tzinfo | None = None
) -> bytes:
    """Return a zip of every conversation as a Markdown file."""
    with tempfile.SpooledTemporaryFile(_MEMORY_BYTES) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for conversation in _all(store, owner):
                archive.writestr(
                    file_name(conversation, "md", reader),
                    markdown_of(store, owner, language, conversation, reader),
                )
        file.seek(0)
        return file.read()


def _all(store: Store, owner: str) -> Iterator[Conversation]:
    cursor = None
    while True:
        page = store.conversations.list(owner, limit=_READ_AT_ONCE, cursor=cursor)
        yield from page.items
        if (cursor := page.next_cursor) is None:
            return
