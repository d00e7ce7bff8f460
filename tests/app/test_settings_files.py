"""Whatever the files of settings hold: pages open, practice answers, one problem has its name."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.settings import Settings, read_settings
from tests.app.elements import words
from tests.app.test_chat_page import ask
from tests.unit.settings.test_settings_files import FAULTS as BROKEN
from tests.unit.settings.test_settings_files import KEY, SECRETS, dangling, folder, loop

Make = Callable[[Path], object]


def holding(data: bytes) -> Make:
    return lambda path: path.write_bytes(data)


# What is made, at which place, and what the page says of it beside the file's name.
FAULTS: dict[str, tuple[str, Make, str]] = {
    **{name: (SECRETS, holding(data), "") for name, (data, _) in BROKEN.items()},
    "a folder": (SECRETS, folder, "is a folder"),
    "a folder .env": (".env", folder, "is a folder"),
    "a dangling link": (SECRETS, dangling, "no ordinary file"),
    "a link to itself": (".env.local", loop, "cannot be opened"),
    "a pipe": (SECRETS, os.mkfifo, "no ordinary file"),
    "a pipe .env": (".env", os.mkfifo, "no ordinary file"),
    "gbk": (SECRETS, holding("# 密钥\n".encode("gbk")), "is not UTF-8"),
    "gbk .env": (".env", holding("# 密钥\n".encode("gbk")), "is not UTF-8"),
    "a sentence": (".env", holding(f"\n\nmy key is {KEY}\n".encode()), "see line 3"),
    "an open quote .env": (".env.local", holding(f'A="{KEY}\n'.encode()), "see line 1"),
    "no UTF-8 .env": (".env", holding(b"\xff\xfe\x00"), "is not text"),
    "below access": (
        SECRETS,
        holding(f'[access]\nDEEPSEEK_API_KEY = "{KEY}"\n'.encode()),
        "DEEPSEEK_API_KEY stands below [access]",
    ),
    "a section of ours": (
        SECRETS,
        holding(f'[deepseek]\napi_key = "{KEY}"\n'.encode()),
        "If DEEPSEEK_API_KEY is meant",
    ),
    "small letters": (
        ".env",
        holding(f"deepseek_api_key={KEY}\n".encode()),
        "If DEEPSEEK_API_KEY is meant",
    ),
    "no key": (".env", holding("DEEPSEEK_API_KEY=填在这里\n".encode()), "DEEPSEEK_API_KEY"),
}
# Of these the provider concerned cannot be used: that is said in place of an answer.
UNUSABLE = ("no key",)


@pytest.mark.parametrize("fault", FAULTS)
def test_practice_answers_and_the_problem_is_named_once(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    name, make, said = FAULTS[fault]
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    make(path)

    def read(**sources: Any) -> Settings:
        return read_settings(**{**sources, "root": tmp_path, "secrets": None})

    monkeypatch.setattr("core.ui.start.configuration.read_settings", read)
    app.run()
    if fault not in UNUSABLE:
        assert "Practice mode" in words(app)
        ask(app, "Tell me about this app")
        assert "practice" in str(app.get("chat_message")[1].markdown[0].value).lower()
    app.switch_page("pages/status.py").run()
    assert not app.exception
    (problem,) = [str(error.value) for error in app.error]
    assert name in problem
    assert said in problem
    assert KEY not in words(app)
