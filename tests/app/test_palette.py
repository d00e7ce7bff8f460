"""The command palette: what it finds, of both columns and of one owner."""

import pytest
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.ui.session_state import SessionState
from tests.app.conftest import ROOT, RUN_TIMEOUT_S
from tests.app.test_chat_page import Opened
from tests.unit.storage.belongings import WORD, endow


@pytest.fixture(autouse=True)
def everything(app: AppTest, studio: Opened) -> None:
    """Somebody who has one of everything, and somebody else who has it too."""
    app.run()
    endow(studio().store, LOCAL_OWNER, 1)
    endow(studio().store, "somebody-else", 2)


def found(words: str) -> AppTest:
    """Return the first run of a page over which the palette is open, with words in it."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=RUN_TIMEOUT_S)
    app.session_state["inkling"] = SessionState(palette="search")
    app.session_state["palette-query"] = words
    app.run()
    assert not app.exception
    return app


def rows(app: AppTest) -> dict[str, str]:
    """Return the labels of what is listed, by the kind of it."""
    keys = [(str(one.key), one.label) for one in app.button]
    return {key.split("-")[1]: label for key, label in keys if key.startswith("palette-")}


def test_words_find_conversations_and_pictures_of_ones_own() -> None:
    listed = rows(found(WORD))
    assert set(listed) == {"hit", "picture"}
    assert "somebody-else" not in str(listed)


def test_pages_are_found_by_name_and_what_is_not_there_is_said() -> None:
    assert rows(found("gal")) == {"page": "Gallery"}
    app = found("zebra")
    assert not rows(app)
    assert "Nothing found." in [caption.value for caption in app.caption]
