"""The version stands in one place, and whatever tells it reads it there."""

import re
import tomllib
from pathlib import Path

from core import __version__
from core.web.openapi.description import DESCRIPTION

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_version_is_told_as_versions_are() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_the_description_of_the_http_layer_tells_it() -> None:
    assert DESCRIPTION["info"]["version"] == __version__


def test_the_project_takes_it_from_the_code() -> None:
    assert "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "core.__version__"}


def test_the_changelog_begins_with_it_below_what_is_not_released() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^## (.+)$", changelog, re.MULTILINE)[:2]
    assert first == "Unreleased"
    assert second.partition(" - ")[0] == __version__


def test_the_oldest_python_is_the_same_wherever_it_is_named() -> None:
    oldest = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert PROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    for readme in ("README.md", "README.zh-CN.md"):
        assert f"Python {oldest}" in (ROOT / readme).read_text(encoding="utf-8")
