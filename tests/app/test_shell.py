"""The frame around the pages: the page that was asked for is the one that is drawn."""

from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest

from tests.app.conftest import ROOT, RUN_TIMEOUT_S


@pytest.mark.usefixtures("data_dir")
def test_a_page_stays_chosen_though_another_run_notes_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Beside pages/, AppTest would run each page by itself, without the frame.
    script = tmp_path / "framed.py"
    script.write_text("from core.ui import shell\n\nshell.draw()\n")
    app = AppTest.from_file(str(script), default_timeout=RUN_TIMEOUT_S).run()
    assert app.chat_input
    noted: list[str] = []
    configure = st.set_page_config

    def after_another_run_began(**settings: Any) -> None:
        """Note the chat page, as a run does that draws it anew beside this one."""
        if "page_title" in settings:
            run = get_script_run_ctx()
            assert run is not None
            run.pages_manager.set_script_intent(run.pages_manager.main_script_hash, "")
            noted.append(run.page_script_hash)
        configure(**settings)

    monkeypatch.setattr(st, "set_page_config", after_another_run_began)
    app.switch_page(str(ROOT / "pages" / "status.py")).run()
    assert noted
    assert not app.chat_input
    assert [title.value for title in app.subheader] == ["Status"]
