"""The check-up on the Status page: findings and cures, a report without keys, codes looked up."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.elements import run_until, words
from tests.unit.checkup.servers import API_KEY, CHAT_KEY, Provider


def status(app: AppTest) -> str:
    app.switch_page("pages/status.py").run()
    assert not app.exception
    return words(app)


def test_what_is_wrong_is_told_with_its_cure_and_can_be_pasted(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.work.checkup.asked.KLING_REGIONS", {})
    with Provider() as provider:
        monkeypatch.setenv("DEEPSEEK_API_URL", f"{provider.origin}/chat/completions")
        monkeypatch.setenv("DEEPSEEK_API_KEY", CHAT_KEY)
        monkeypatch.setenv("DEEPSEEK_MODEL", "deepseek-v9")
        monkeypatch.setenv("KLING_API_ORIGIN", provider.origin)
        monkeypatch.setenv("KLING_API_KEY", API_KEY)
        provider.accepts = set()
        app.run()
        assert "Nothing of it costs money" in status(app)
        app.button(key="checkup-run").click().run()
        run_until(app, lambda: "Report to paste" in words(app), "the check-up is over")
        told = words(app)
        assert not app.exception
        assert "does not offer the model" in told
        assert "What to do" in told
        assert "Kling's console" in told
        (report,) = [one.value for one in app.code if "Inkling check-up" in one.value]
        assert "✗ [model_gone]" in report
        assert "✗ [kling_key_refused]" in report
        assert "✓ [chat_key_good]" in report
        for secret in (CHAT_KEY, API_KEY):
            assert secret not in report + told
        assert {method for method, _ in provider.asked} == {"GET"}


def test_a_code_is_looked_up(app: AppTest, data_dir: Path) -> None:
    app.run()
    app.query_params["code"] = "1102"
    status(app)
    assert "Kling 1102 (HTTP 429)" in words(app)
    assert "waiting does not help" in words(app)
    app.text_input(key="codes-wanted").set_value("402").run()
    assert "Chat, HTTP 402" in words(app)
    app.text_input(key="codes-wanted").set_value("").run()
    (table,) = [one.value for one in app.table if "Code" in one.value]
    assert len(table) > 30
    app.text_input(key="codes-wanted").set_value("9").run()
    assert "No such code" in words(app)
