"""The frame around the pages: the page that was asked for is the one that is drawn."""

from types import SimpleNamespace

import pytest
from streamlit.runtime.scriptrunner import RerunData
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests
from streamlit.testing.v1 import AppTest

from core import __version__
from core.ui.frame import navigation
from tests.app.conftest import ROOT, RUN_TIMEOUT_S


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


def test_a_part_redraws_itself_and_a_later_choice_of_a_page_counts() -> None:
    navigation.claim_navigation()
    requests = ScriptRequests()
    part = RerunData(page_script_hash="chat", fragment_id="title", is_auto_rerun=True)
    assert requests.request_rerun(part)
    assert requests.on_scriptrunner_ready().rerun_data.fragment_id_queue == ["title"]
    assert requests.request_rerun(part)
    assert requests.request_rerun(RerunData(page_script_hash="gallery"))
    assert requests.on_scriptrunner_ready().rerun_data.page_script_hash == "gallery"
