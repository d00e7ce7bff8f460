"""Wrong keys, wrong addresses, no network: a clear sentence each, and the rest of the app works."""

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.models.generations import GenerationStatus
from core.practice.server import PracticeServer
from core.work.studio import Studio
from tests.app.conftest import QUICK
from tests.app.elements import run_until, shown, words
from tests.app.test_chat_page import ask

Opened = Callable[[], Studio]
Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address on this machine at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and never listening: connections are refused
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def provider() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


def test_no_network_is_told_and_pictures_are_still_made(
    app: AppTest, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-test")
    monkeypatch.setenv("DEEPSEEK_API_URL", f"{nowhere}/chat/completions")
    app.run()
    assert "Practice mode" not in words(app)
    ask(app, "hello")
    assert "cannot be reached" in words(app)
    assert "sk-test" not in words(app)
    app.switch_page("pages/images.py").run()
    assert "Practice mode" in words(app)
    assert not app.exception


def test_a_wish_waits_for_the_network_and_can_be_taken_back(
    app: AppTest,
    nowhere: str,
    monkeypatch: pytest.MonkeyPatch,
    studio: Opened,
    until: Until,
) -> None:
    monkeypatch.setenv("KLING_API_KEY", "kling-test-key")
    monkeypatch.setenv("KLING_API_ORIGIN", nowhere)
    app.run()
    app.switch_page("pages/images.py").run()
    app.text_area(key="image-prompt").set_value("一只猫")
    app.button(key="generate").click().run()
    (generation,) = studio().store.generation_lists.list(LOCAL_OWNER).items
    until(lambda: studio().generations.blocking_error(generation.id) is not None)
    app.run()
    (warning,) = app.warning
    assert "cannot be reached" in warning.value
    assert "is sent automatically: do not generate it again" in warning.value
    assert "try again" not in warning.value
    until(lambda: studio().store.generation_lists.list(LOCAL_OWNER).items[0].sending_at is None)
    app.run()
    app.button(key=f"cancel-{generation.id}").click().run()
    (cancelled,) = studio().store.generation_lists.list(LOCAL_OWNER).items
    assert cancelled.status is GenerationStatus.CANCELLED
    assert not app.exception


def test_a_wrong_key_is_told_by_both_providers(
    app: AppTest,
    provider: PracticeServer,
    monkeypatch: pytest.MonkeyPatch,
    studio: Opened,
    until: Until,
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-wrong-chat-key")
    monkeypatch.setenv("DEEPSEEK_API_URL", provider.chat_url)
    monkeypatch.setenv("ACCESS_KEY_ID", "wrong-access-key")
    monkeypatch.setenv("ACCESS_KEY_SECRET", "wrong-secret-key-0123456789abcdef-0123456789")
    monkeypatch.setenv("KLING_API_ORIGIN", provider.origin)
    app.run()
    ask(app, "hello")
    assert "refused the API key" in words(app)
    app.switch_page("pages/images.py").run()
    app.text_area(key="image-prompt").set_value("一只猫")
    app.button(key="generate").click().run()
    until(
        lambda: (
            studio().store.generation_lists.list(LOCAL_OWNER).items[0].status
            is GenerationStatus.REFUSED
        )
    )
    app.run()
    assert "Kling refused the key" in words(app)
    assert "wrong-" not in words(app)
    assert provider.counters.tasks_accepted == 0
    assert not app.exception


def test_a_malformed_setting_is_one_sentence_and_the_rest_works(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-test")
    monkeypatch.setenv("DEEPSEEK_API_URL", "api.deepseek.com")
    app.run()
    assert any(
        "DEEPSEEK_API_URL" in error.value and "the environment" in error.value
        for error in app.error
    )
    ask(app, "hello")
    assert app.error
    app.switch_page("pages/images.py").run()
    assert not app.error
    app.text_area(key="image-prompt").set_value("一只猫")
    app.button(key="generate").click().run()
    assert not app.error
    assert not app.exception


def test_every_page_says_that_it_is_practice(app: AppTest) -> None:
    app.run()
    for page in ("chat", "images", "gallery", "history", "status"):
        app.switch_page(f"pages/{page}.py").run()
        assert "Practice mode" in words(app), page
    to_paste = " ".join(str(one.value) for one in shown(app, "html"))
    assert {"DEEPSEEK_API_KEY", "KLING_API_KEY"} <= set(re.findall(r"\w+_API_KEY", to_paste))
    assert not app.exception


def test_the_status_page_checks_keys_for_free(
    app: AppTest, provider: PracticeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", QUICK.chat_key)
    monkeypatch.setenv("DEEPSEEK_API_URL", provider.chat_url)
    monkeypatch.setenv("KLING_API_KEY", QUICK.kling_api_key)
    monkeypatch.setenv("KLING_API_ORIGIN", provider.origin)
    app.run()
    app.switch_page("pages/status.py").run()
    assert words(app).count("not checked yet") == 2
    app.button(key="check-chat").click().run()
    run_until(app, lambda: app.success, "the chat key is judged")
    assert "The key is accepted" in app.success[0].value
    assert words(app).count("not checked yet") == 1
    app.button(key="check-images").click().run()
    # The first one's result stays.
    run_until(app, lambda: len(app.success) == 2, "Kling's key is judged")
    assert all("The key is accepted" in one.value for one in app.success)
    assert words(app).count("Key accepted") == 2
    assert provider.counters.chat_requests == 0
    assert provider.counters.tasks_accepted == 0
    assert not app.exception


def test_a_refused_key_is_not_called_connected(
    app: AppTest, provider: PracticeServer, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-wrong-chat-key")
    monkeypatch.setenv("DEEPSEEK_API_URL", provider.chat_url)
    monkeypatch.setenv("KLING_API_KEY", "kling-test-key")
    monkeypatch.setenv("KLING_API_ORIGIN", nowhere)
    app.run()
    app.switch_page("pages/status.py").run()
    app.button(key="check-chat").click().run()
    app.button(key="check-images").click().run()
    refused = "Refused or unreachable"
    run_until(app, lambda: words(app).count(refused) == 2, "both keys are judged")
    assert len(app.error) == 2
    app.switch_page("pages/gallery.py").run()
    app.switch_page("pages/status.py").run()
    assert len(app.error) == 2
    assert not app.exception


def test_a_data_folder_that_cannot_be_made_names_its_setting_and_the_other_problems(
    app: AppTest, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir.write_text("in the way")  # root may write anywhere but below a file
    monkeypatch.setenv("DEEPSEEK_API_URL", "api.deepseek.com")
    app.run()
    folder, setting = app.error
    assert f"The data folder {data_dir} cannot be made or written" in folder.value
    assert "INKLING_DATA_DIR sets it (from the environment)" in folder.value
    assert "DEEPSEEK_API_URL" in setting.value
    assert [one.label for one in app.expander] == ["Details"]
    assert not app.exception


def test_a_damaged_database_is_not_blamed_on_the_setting(app: AppTest, data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "inkling.sqlite3").write_bytes(b"no database, but long enough to look at" * 100)
    app.run()
    assert "restore a backup" in app.error[0].value
    assert not app.exception
