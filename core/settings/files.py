"""Files of settings as editors and shells write them: decoded, and what is wrong with them told.

A file can disable what it would have set, never the app: whatever is wrong with one is told as a
fault with its kind, and the cure stands in the catalogue of texts.
"""

import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream

# A file of settings has some hundred lines; what is larger is something else.
FILE_BYTES = 4 * 1024 * 1024

# UTF-32's marks first: UTF-16's are their beginnings.
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_HEADER = re.compile(r"(?m)^[ \t]*\[")
# What a broken file may still give: sign-in. Of its other sections half would be too little, since
# a line that was lost may be the one that keeps somebody out.
_SURVIVES = ("auth",)
_SECTION_LINES = 100


class UnreadableError(Exception):
    """A file that cannot be used; `kind` names the text that says why, `line` where."""

    def __init__(self, kind: str, line: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.line = line


@dataclass(frozen=True, slots=True)
class FileText:
    """What a file holds; `is_guessed` when its encoding is neither marked nor UTF-8."""

    text: str
    is_guessed: bool = False


def read_text(path: Path) -> FileText | None:
    """Read a text file whatever its encoding; None where there is none, UnreadableError else."""
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise UnreadableError("folder")
        if not stat.S_ISREG(kind):  # a pipe would have us wait for its writer
            raise UnreadableError("no_file")
        with path.open("rb") as file:
            data = file.read(FILE_BYTES + 1)
    except FileNotFoundError:
        if path.is_symlink():
            raise UnreadableError("no_file") from None
        return None
    except (OSError, ValueError):
        raise UnreadableError("unreadable") from None
    if len(data) > FILE_BYTES:
        raise UnreadableError("too_large")
    return decode(data)


def decode(data: bytes) -> FileText:
    """Return the text in `data`: by its mark, by where its zeros stand, as UTF-8, as GB 18030.

    Line ends become LF. UnreadableError where it is text in none of these.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return FileText(_strictly(data[len(mark) :], encoding))
    if (wide := _by_zeros(data)) is not None:
        return FileText(_strictly(data, wide))
    try:
        return FileText(_with_plain_ends(data.decode("utf-8")))
    except UnicodeDecodeError:
        # Names and keys are ASCII, and the same in every encoding that Chinese editors write.
        return FileText(_strictly(data, "gb18030"), is_guessed=True)


def parse_toml(text: str) -> tuple[dict[str, Any], str | None]:
    """Parse TOML; with a mistake in it what survives, and the number of the mistaken line."""
    try:
        return tomllib.loads(text), None
    except tomllib.TOMLDecodeError as error:
        # The message may quote a sign of the file, and that may belong to a key.
        line = getattr(error, "lineno", None)
        return _survivors(text), str(line or _line_in(str(error)))
    except RecursionError:
        return _survivors(text), "?"


def parse_dotenv(text: str) -> tuple[dict[str, str], str | None]:
    """Parse a dotenv file; also the number of its first line that is no setting, or None."""
    values: dict[str, str] = {}
    mistaken: int | None = None
    for binding in parse_stream(StringIO(text)):
        # "[access]" is a name without a value to the parser: a section, which only TOML has.
        if binding.error or (binding.key or "").startswith("["):
            blank = len(binding.original.string) - len(binding.original.string.lstrip())
            mistaken = mistaken or (
                binding.original.line + binding.original.string.count("\n", 0, blank)
            )
        elif binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
    return values, None if mistaken is None else str(mistaken)


def names_within(table: Mapping[str, Any], names: Iterable[str]) -> list[tuple[str, str, Any]]:
    """Return where settings of ours stand inside sections: section, name as written, value."""
    known = {name.casefold() for name in names}
    found: list[tuple[str, str, Any]] = []
    waiting = [(key, one) for key, value in table.items() for one in _sections(value)]
    while waiting:
        place, section = waiting.pop(0)
        for key, value in section.items():
            if str(key).casefold() in known:
                found.append((place, str(key), value))
            waiting += [(f"{place}.{key}", one) for one in _sections(value)]
    return found


def _sections(value: Any) -> list[Mapping[str, Any]]:
    """Return the section that a value is, or those in its list ([[section]])."""
    values = value if isinstance(value, list | tuple) else (value,)
    return [one for one in values if isinstance(one, Mapping)]


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return _with_plain_ends(data.decode(encoding))
    except UnicodeDecodeError:
        raise UnreadableError("text_file") from None


def _with_plain_ends(text: str) -> str:
    # Old editors of DOS end a file with Ctrl-Z.
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\x1a")


def _by_zeros(data: bytes) -> str | None:
    """Tell UTF-16 and UTF-32 without a mark: in ASCII half, or three quarters, are zeros."""
    head = data[:4]
    if len(head) < 2:
        return None
    zeros = tuple(byte == 0 for byte in head)
    if len(head) == 4 and zeros == (False, True, True, True):
        return "utf-32-le"
    if len(head) == 4 and zeros == (True, True, True, False):
        return "utf-32-be"
    if zeros[:2] == (False, True):
        return "utf-16-le"
    if zeros[:2] == (True, False):
        return "utf-16-be"
    return None


def _survivors(text: str) -> dict[str, Any]:
    starts = [match.start() for match in _HEADER.finditer(text)]
    found: dict[str, Any] = {}
    for start, end in pairwise([*starts, len(text)]):
        part = _section(text[start:end])
        for name in _SURVIVES:
            if isinstance(part.get(name), dict):
                found[name] = _merged(found.get(name, {}), part[name])
    return found


def _section(text: str) -> dict[str, Any]:
    """Parse one section; where it has a mistake, those of its lines that stand by themselves."""
    part = _loaded(text)
    if part is not None:
        return part
    kept = ""
    for line in text.splitlines(keepends=True)[:_SECTION_LINES]:
        if _loaded(kept + line) is not None:
            kept += line
    return _loaded(kept) or {}


def _loaded(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = dict(one)
    for key, value in other.items():
        known = both.get(key)
        both[key] = (
            _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
        )
    return both


def _line_in(message: str) -> str:
    return message.rpartition("at line ")[2].partition(",")[0] if "at line " in message else "?"
