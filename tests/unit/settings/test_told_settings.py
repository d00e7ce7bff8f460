"""What people are told of settings: the READMEs' table and the examples are what is written."""

import runpy
from collections import Counter
from pathlib import Path

import pytest

from core.settings.table import SETTINGS

ROOT = Path(__file__).parents[3]
WRITER = runpy.run_path(str(ROOT / ".ci/write_settings.py"))
FILES = ("README.md", "README.zh-CN.md", ".env.example", ".streamlit/secrets.toml.example")


def test_every_setting_is_told_in_one_row() -> None:
    told = Counter(name for row in WRITER["rows"]() for name in row.get("example", ()))
    assert told == Counter(setting.name for setting in SETTINGS)


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_tells_settings_is_as_written(file: str) -> None:
    assert sorted(WRITER["written"]()) == sorted(FILES)
    assert (ROOT / file).read_text(encoding="utf-8") == WRITER["written"]()[file], (
        "after a change of docs/settings.toml: .venv/bin/python .ci/write_settings.py"
    )


def test_a_table_is_written_anew_from_its_head_on() -> None:
    before = "front\n\n| setting | meaning | default |\n|---|---|---|\n| old | | |\n\nbehind\n"
    after = WRITER["readme"](before, "en", "setting")
    assert after.startswith("front\n\n| setting | meaning | default |\n|---|---|---|\n| `")
    assert after.endswith(" |\n\nbehind\n")
    assert "| old |" not in after
