"""Whatever the environment holds: the pages open, practice answers, one problem has its name."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.models.generations import GenerationStatus
from core.texts import catalogue
from core.work.process_studio import opening_error
from core.work.studio import Studio
from tests.app.elements import words
from tests.app.test_chat_page import ask
from tests.faulty_environment import FAULTS, NETWORK_VARIABLES, SECRET, Fault, make_files
from tests.running_app import free_port

Opened = Callable[[], Studio]
Until = Callable[[Callable[[], bool]], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("certificates")
    make_files(made)
    return made


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Callable[[Fault], None]:
    """Put a fault into the environment, and nothing else of its kind."""

    def put(fault: Fault) -> None:
        for name in NETWORK_VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in fault.placed(folder).items():
            monkeypatch.setenv(name, value)

    return put


def problems(app: AppTest) -> list[str]:
    return [str(error.value) for error in app.error]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_practice_answers_and_the_problem_is_named_once(
    app: AppTest, fault: Fault, place: Callable[[Fault], None], folder: Path
) -> None:
    place(fault)
    app.run()
    assert "Practice mode" in words(app)
    ask(app, "Tell me about this app")
    assert len(app.get("chat_message")) == 2
    assert "practice" in str(app.get("chat_message")[1].markdown[0].value).lower()
    app.switch_page("pages/status.py").run()
    assert not app.exception
    told = problems(app)
    assert SECRET not in words(app)
    if fault.named is None:
        assert told == []
        return
    (problem,) = told
    assert problem.startswith(f"{fault.named} (from the environment)")
    assert fault.form(folder) in problem


PROXY_FAULT = Fault({"ALL_PROXY": f"socks4://user:{SECRET}@127.0.0.1:1"}, "ALL_PROXY")


def test_a_live_provider_says_what_stands_in_its_way_and_the_other_works(
    app: AppTest, place: Callable[[Fault], None], monkeypatch: pytest.MonkeyPatch, studio: Opened
) -> None:
    place(PROXY_FAULT)
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-test")
    app.run()
    (problem,) = problems(app)
    assert "socks4://…@127.0.0.1:1" in problem
    ask(app, "hello")
    assert any("ALL_PROXY" in told for told in problems(app)), "the question is refused with it"
    assert studio().services.chat_mode(LOCAL_OWNER) == "unusable"
    app.switch_page("pages/images.py").run()
    assert "Practice mode" in words(app)
    assert studio().services.image_mode(LOCAL_OWNER) == "practice"
    assert SECRET not in words(app)
    assert not app.exception


def test_no_wish_is_taken_while_the_way_is_barred(
    app: AppTest, place: Callable[[Fault], None], monkeypatch: pytest.MonkeyPatch, studio: Opened
) -> None:
    place(PROXY_FAULT)
    monkeypatch.setenv("KLING_API_KEY", "kling-test-key")
    app.run()
    app.switch_page("pages/images.py").run()
    assert any("ALL_PROXY" in told for told in problems(app))
    app.text_area(key="image-prompt").set_value("一只猫")
    app.button(key="generate").click().run()
    assert any("ALL_PROXY" in told for told in problems(app))
    assert studio().store.generation_lists.list(LOCAL_OWNER).items == ()
    assert not app.exception


def test_a_wish_waits_for_a_proxy_that_is_not_there(
    app: AppTest,
    place: Callable[[Fault], None],
    monkeypatch: pytest.MonkeyPatch,
    studio: Opened,
    until: Until,
) -> None:
    port = free_port()
    place(Fault({"https_proxy": f"http://user:{SECRET}@127.0.0.1:{port}"}))
    monkeypatch.setenv("KLING_API_KEY", "kling-test-key")
    app.run()
    app.switch_page("pages/images.py").run()
    app.text_area(key="image-prompt").set_value("一只猫")
    app.button(key="generate").click().run()
    (generation,) = studio().store.generation_lists.list(LOCAL_OWNER).items
    until(lambda: studio().generations.blocking_error(generation.id) is not None)
    app.run()
    (warning,) = app.warning
    assert f"through the proxy http://127.0.0.1:{port}" in warning.value
    assert "https_proxy" in warning.value
    assert SECRET not in words(app)
    until(lambda: studio().store.generation_lists.list(LOCAL_OWNER).items[0].sending_at is None)
    (waiting,) = studio().store.generation_lists.list(LOCAL_OWNER).items
    assert waiting.status is GenerationStatus.INTENDED, "nothing was sent, nothing is uncertain"
    assert not app.exception


@pytest.mark.parametrize(
    "where",
    [
        "core.work.studio.Archive.open",
        "core.work.studio.Indexing",
        "core.work.studio.Services.start",
        "core.ui.session.app_settings",
    ],
)
def test_an_error_that_nobody_foresaw_is_told_and_tried_again(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError(f"postgresql://user:{SECRET}@host")

    with monkeypatch.context() as breaking:
        breaking.setattr(where, broken)
        app.run()
        assert not app.exception
        (told,) = problems(app)
        assert told == catalogue.text("en", "error.opening", kind="ZeroDivisionError")
        assert opening_error() is not None
    assert "ZeroDivisionError" in caplog.text
    assert SECRET not in caplog.text
    app.button[0].click().run()
    assert not app.exception
    assert problems(app) == []
    assert "Practice mode" in words(app)
    assert opening_error() is None
