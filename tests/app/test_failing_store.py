"""Every page while the store fails: a sentence says so, and what needs no store stands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.models.chat import ChatParameters
from core.storage.db.database import Database
from core.storage.db.errors import store_error
from core.ui.frame.pages import PAGES
from core.work.studio import Studio

Opened = Callable[[], Studio]

WHY = "error.store_broken"


def fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything that is asked of the store fail from now on."""

    @contextmanager
    def failing(self: Database) -> Iterator[Connection]:
        raise store_error(WHY, self.place)
        yield

    for name in ("read", "snapshot", "write"):
        monkeypatch.setattr(Database, name, failing)


def stands(app: AppTest, page: str) -> bool:
    """Tell whether what needs no store is on the page."""
    if page == "chat":
        return bool(app.chat_input) and any(one.key == "new-conversation" for one in app.button)
    if page == "images":
        return any(one.key == "generate" for one in app.button)
    return bool(app.title)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("is_asked_first", [True, False], ids=["in use", "new session"])
def test_a_failing_store_is_told_and_the_rest_of_the_page_stands(
    app: AppTest,
    studio: Opened,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    is_asked_first: bool,
) -> None:
    app.run()
    store = studio().store
    conversation = store.conversations.create(LOCAL_OWNER, parameters=ChatParameters())
    store.key_values.set("language.local.en", "en")
    if is_asked_first:
        app.query_params["c"] = conversation.id
        app.run()
    fail(monkeypatch)
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert stands(app, page)
    if page in ("chat", "gallery", "images", "history", "money"):
        told = [one.value for one in app.error]
        sentence = "cannot be read or written"
        count = len([one for one in told if sentence in one])
        assert count == 1 if page == "chat" else count >= 1, told
