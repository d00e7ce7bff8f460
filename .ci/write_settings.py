"""Writes what people are told of settings: both READMEs' table, and the two examples.

The names come from core/settings/table.py, the words from docs/settings.toml:

    .venv/bin/python .ci/write_settings.py
"""

import re
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from core.settings.table import SETTINGS  # noqa: E402

Row = dict[str, Any]
_OLDER = {setting.name: setting.aliases for setting in SETTINGS}
_TABLES = {"README.md": ("en", "setting"), "README.zh-CN.md": ("zh", "设置")}
_ALSO = {"en": (", ", " (also {names})"), "zh": ("、", "（也认 {names}）")}
_SECTIONS = "\n# Sections come last"
WIDTH = 100


def rows() -> list[Row]:
    """Return the rows of docs/settings.toml."""
    found: list[Row] = tomllib.loads((ROOT / "docs/settings.toml").read_text("utf-8"))["row"]
    return found


def _said(value: Any, language: str) -> str:
    return str(value[language] if isinstance(value, dict) else value)


def _older(row: Row, comma: str, mark: str) -> str:
    """Return the older names of a row, those that belong together side by side."""
    of_each = [_OLDER.get(name, ()) for name in row.get("example", ())]
    pairs = zip(*filter(None, of_each), strict=True)
    return comma.join("/".join(f"{mark}{name}{mark}" for name in pair) for pair in pairs)


def _names(row: Row, language: str) -> str:
    """Return the names of a row as the READMEs show them, older ones behind."""
    comma, also = _ALSO[language]
    names = [*row.get("names", ()), *row.get("example", ())]
    older = _older(row, comma, "`")
    return comma.join(f"`{name}`" for name in names) + (also.format(names=older) if older else "")


def readme(text: str, language: str, head: str) -> str:
    """Return a README with its table of settings written anew."""
    lines = [
        f"| {_names(row, language)}{_said(row.get('beside', ''), language)} "
        f"| {_said(row['meaning'], language)} | {_said(row['default'], language)} |\n"
        for row in rows()
    ]
    table = re.compile(rf"(\| {head} \|.*\n\|---.*\n)(?:\|.*\n)+")
    return table.sub(lambda match: match[1] + "".join(lines), text, count=1)


def _comment(row: Row) -> list[str]:
    """Return what an example says above the lines of a row: the README's words, without marks."""
    words = re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", _said(row["meaning"], "en")).rstrip(".") + "."
    if not words.startswith("`"):
        words = words[0].upper() + words[1:]
    older = _older(row, ", ", "")
    said = [row.get("comment", words.replace("`", "")), f"Also read: {older}." if older else ""]
    said += [row.get("note", "")]
    width = {"width": WIDTH, "break_long_words": False, "break_on_hyphens": False}
    return [
        line
        for one in said
        for line in textwrap.wrap(one, initial_indent="# ", subsequent_indent="# ", **width)
    ]


def _example(text: str, shape: str) -> str:
    """Return an example with all between its head and its sections written anew."""
    lines: list[str] = []
    for row in rows():
        if "group" in row:
            lines += ["", f"# -- {row['group']} --"]
        if "example" in row:
            lines += _comment(row)
            lines += [shape.format(name=name, value=one) for name, one in row["example"].items()]
    _, separator, sections = text.partition(_SECTIONS)
    return text.partition("\n\n")[0] + "\n" + "\n".join(lines) + "\n" + separator + sections


def written() -> dict[str, str]:
    """Return each file that tells settings, as it should be."""
    now = {name: (ROOT / name).read_text("utf-8") for name in (*_TABLES, *_SHAPES)}
    tables = {name: readme(now[name], *how) for name, how in _TABLES.items()}
    return tables | {name: _example(now[name], shape) for name, shape in _SHAPES.items()}


_SHAPES = {
    ".env.example": "#{name}={value}",
    ".streamlit/secrets.toml.example": '# {name} = "{value}"',
}

if __name__ == "__main__":
    for name, text in written().items():
        (ROOT / name).write_text(text, encoding="utf-8")
