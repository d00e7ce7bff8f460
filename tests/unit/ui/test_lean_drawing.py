"""Streamlit's own ways, where ours go another one: the same comes of both."""

import base64
import subprocess
import sys
from html import unescape
from pathlib import Path
from unittest.mock import Mock

import pytest
from streamlit import delta_generator, string_util
from streamlit.commands import logo, page_config
from streamlit.elements.lib.image_utils import image_to_url
from streamlit.elements.lib.layout_utils import LayoutConfig
from streamlit.emojis import ALL_EMOJIS

from core.ui import placeholders
from core.ui.frame.lean_drawing import draw_leanly
from tests.modules import ROOT

DRAW = """
import sys
from core.ui.frame.lean_drawing import draw_leanly
draw_leanly()
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("app.py", default_timeout=120).run()
assert not page.exception and page.chat_input, page
assert "streamlit.emojis" not in sys.modules
"""


@pytest.fixture(autouse=True)
def lean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Streamlit's own parts back behind each test."""
    for module, name in (
        (logo, "image_to_url"),
        (page_config, "image_to_url"),
        (string_util, "extract_leading_emoji"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    draw_leanly()
    draw_leanly()


def own_url(image: str) -> str:
    """Return the address that Streamlit itself gives a picture."""
    layout = LayoutConfig(width="content")
    return image_to_url(
        image, layout, clamp=False, channels="RGB", output_format="auto", image_id="1"
    )


@pytest.mark.parametrize("drawing", [placeholders.ICON, placeholders.LOGO], ids=["icon", "logo"])
def test_a_drawing_has_streamlits_own_address(drawing: str) -> None:
    for commands in (logo, page_config):
        ours = vars(commands)["image_to_url"]
        assert ours(drawing, None, clamp=False) == own_url(drawing)
        assert base64.b64decode(ours(drawing).partition(",")[2]).decode() == drawing


def test_other_pictures_go_streamlits_way() -> None:
    picture = "https://example.org/a.svg"
    for commands in (logo, page_config):
        ours = vars(commands)["image_to_url"]
        layout = LayoutConfig(width="content")
        url = ours(picture, layout, clamp=False, channels="RGB", output_format="auto", image_id="1")
        assert url == own_url(picture) == picture


def test_the_logo_is_plain_ascii_and_says_both_names() -> None:
    assert placeholders.LOGO.isascii()
    assert ">墨灵 Inkling</text>" in unescape(placeholders.LOGO)


def test_no_emoji_is_taken_for_a_letter() -> None:
    for emoji in ALL_EMOJIS:
        for text in (emoji, f"{emoji} 墨灵"):
            assert string_util.extract_leading_icon(text)[0] == emoji


@pytest.mark.parametrize(
    "text", ["中文", "鿿", "㐀文", "㊗️ 好", "ℹ️ 说明", "〰️", "々", "😀中", "", "é"]
)
def test_other_texts_are_read_as_streamlit_reads_them(text: str) -> None:
    ours = string_util.extract_leading_emoji(text)
    assert ours == vars(string_util)["extract_leading_emoji"]._of_text(text)


def test_nobody_is_asked_for_a_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Mock(return_value=False)
    monkeypatch.setattr("streamlit.env_util.is_repl", asked)
    vars(delta_generator)["_maybe_print_use_warning"]()
    asked.assert_not_called()
    monkeypatch.setattr(delta_generator, "_use_warning_has_been_displayed", False)
    vars(delta_generator)["_maybe_print_use_warning"]()
    asked.assert_called_once()  # so it is that by which it is kept from asking


def test_the_first_page_asks_no_list_of_emoji(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DRAW],
        cwd=ROOT,
        env={"INKLING_DATA_DIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
