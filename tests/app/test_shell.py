"""The frame around the pages: the page that was asked for is the one that is drawn."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests
from streamlit.testing.v1 import AppTest

from core import __version__
from core.ui.frame import navigation
from tests.app.conftest import ROOT, RUN_TIMEOUT_S


@pytest.mark.usefixtures("data_dir")
def test_a_page_stays_chosen_though_another_run_notes_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Beside pages/, AppTest would run each page by itself, without the frame.
    script = tmp_path / "framed.py"
    script.write_text("from core.ui.frame import shell\n\nshell.draw()\n")
    app = AppTest.from_file(str(script), default_timeout=RUN_TIMEOUT_S).run()
    assert app.chat_input
    noted: list[str] = []
    configure = st.set_page_config

    def after_another_run_began(**settings: Any) -> None:
        """Note the chat page, as a run does that draws it anew beside this one."""
        if "page_icon" in settings:
            run = get_script_run_ctx()
            assert run is not None
            run.pages_manager.set_script_intent(run.pages_manager.main_script_hash, "")
            noted.append(run.page_script_hash)
        configure(**settings)

    monkeypatch.setattr(st, "set_page_config", after_another_run_began)
    app.switch_page(str(ROOT / "pages" / "status.py")).run()
    assert noted
    assert not app.chat_input
    assert [title.value for title in app.title] == ["Status"]


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize(
    ("language", "line"), [("en", f"Version {__version__}"), ("zh", f"版本 {__version__}")]
)
def test_the_version_stands_on_the_status_page(language: str, line: str) -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=RUN_TIMEOUT_S).run()
    app.button_group(key="language-choice").set_value(language).run()
    app.switch_page("pages/status.py").run()
    assert not app.exception
    assert line in [caption.value for caption in app.caption]


@pytest.mark.parametrize("is_auto", [True, False])
def test_a_part_that_redraws_itself_does_not_take_back_the_page_chosen_before(
    *, is_auto: bool
) -> None:
    navigation.claim_navigation()
    requests = ScriptRequests()
    assert requests.request_rerun(RerunData(page_script_hash="gallery", query_string="a=1"))
    part = RerunData(page_script_hash="chat", fragment_id="title", is_auto_rerun=is_auto)
    assert requests.request_rerun(part)
    chosen = requests.on_scriptrunner_ready().rerun_data
    assert (chosen.page_script_hash, chosen.fragment_id_queue) == ("gallery", [])


@pytest.mark.parametrize("runs", [None, "chat", "images"])
def test_a_run_that_draws_its_page_anew_does_not_take_back_the_page_chosen_before(
    monkeypatch: pytest.MonkeyPatch, runs: str | None
) -> None:
    """None: the browser itself asks, on the server's thread."""
    navigation.claim_navigation()
    run = None if runs is None else SimpleNamespace(page_script_hash=runs)
    requests = ScriptRequests()
    assert requests.request_rerun(RerunData(page_script_hash="gallery", query_string="p=1"))
    monkeypatch.setattr(navigation, "get_script_run_ctx", lambda: run)
    assert requests.request_rerun(RerunData(page_script_hash="chat", query_string="c=2"))
    chosen = requests.on_scriptrunner_ready().rerun_data
    expected = ("gallery", "p=1") if runs == "chat" else ("chat", "c=2")
    assert (chosen.page_script_hash, chosen.query_string) == expected


@pytest.mark.parametrize(("asked", "drawn"), [("status", "status"), ("", "chat")])
@pytest.mark.parametrize("is_beside", [False, True])
def test_a_run_draws_its_own_page_though_another_one_begins_beside_it(
    monkeypatch: pytest.MonkeyPatch, asked: str, drawn: str, is_beside: bool
) -> None:
    """The other one has noted its page behind it. A first visit names none, and is alone."""
    navigation.claim_navigation()
    requests, shared = ScriptRequests(), PagesManager(str(ROOT / "app.py"))
    assert requests.request_rerun(RerunData(page_script_hash=asked))
    taken = requests.on_scriptrunner_ready()
    assert taken.rerun_data.page_script_hash == asked
    if is_beside:  # a part of the page before asks to redraw itself
        requests.request_rerun(RerunData(page_script_hash="chat", fragment_id="part"))
        assert requests.on_scriptrunner_yield() is None
    shared.set_script_intent("chat", "")
    shared.set_current_page_script_hash("chat")
    run = SimpleNamespace(script_requests=requests, pages_manager=shared, page_script_hash="chat")
    monkeypatch.setattr(navigation, "get_script_run_ctx", lambda: run)
    navigation.keep_to_page_asked_for()
    assert shared.intended_page_script_hash == drawn


def test_a_part_redraws_itself_and_a_later_choice_of_a_page_counts() -> None:
    navigation.claim_navigation()
    requests = ScriptRequests()
    part = RerunData(page_script_hash="chat", fragment_id="title", is_auto_rerun=True)
    assert requests.request_rerun(part)
    assert requests.on_scriptrunner_ready().rerun_data.fragment_id_queue == ["title"]
    assert requests.request_rerun(part)
    assert requests.request_rerun(RerunData(page_script_hash="gallery"))
    assert requests.on_scriptrunner_ready().rerun_data.page_script_hash == "gallery"
