"""Exports and imports of any size, beside the page's own connection: a component and signed links.

Streamlit's own file inputs hold a file whole in memory, and end at `server.maxUploadSize`.
"""

from collections.abc import Callable

import streamlit as st

from core.errors import AppError
from core.storage.transfer.imports import ImportResult
from core.ui import clock, reachable, session
from core.ui.buttons import keeping_errors
from core.ui.frame import page_files
from core.ui.session import text

_TEXTS = (
    *("download", "download_chatgpt", "choose", "stop", "sending", "importing", "waiting"),
    *("stopped", "expired", "full", "refused", "broken"),
)
_KEY = "large-transfer"


def is_possible() -> bool:
    """Tell whether this session's transfers may go beside the page.

    A host that only runs the script serves no routes, and strangers get no disk to fill.
    """
    return reachable.is_http_served() and session.is_trusted()


def draw(on_done: Callable[[], None]) -> None:
    """Draw the download and the upload of any size; `on_done` runs once an upload has ended."""
    transfers, owner = session.studio().transfers, session.owner()

    def take() -> None:
        if (name := st.session_state[_KEY].get("done")) is not None:
            _take(str(name))
            on_done()

    page_files.component("transfer")(
        key=_KEY,
        data={
            "export_ticket": transfers.tickets.sign(owner, "export"),
            "day": clock.today(),
            "import_ticket": transfers.tickets.sign(owner, "import"),
            "texts": {name: text(f"large_transfer.{name}") for name in _TEXTS},
        },
        on_done_change=take,
    )


@keeping_errors()
def _take(name: str) -> None:
    """Note for the page how an upload ended, and forget it."""
    state = session.studio().transfers.uploads.state(session.owner(), name)
    facts = state.facts
    if state.phase == "done":
        session.state().imported = ImportResult.from_facts(facts)
    elif state.phase == "failed":
        raise AppError(facts["text_id"], facts=facts["facts"])
