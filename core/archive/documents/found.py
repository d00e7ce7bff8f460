"""What was found in a file, and the refusals of files in which nothing was."""

from dataclasses import dataclass

from core.errors import InputError

# Of one file: about a third of what DeepSeek's context holds, of Chinese signs (deepseek.md §1).
TEXT_MOST = 500_000
FILE_BYTES_MOST = 50 << 20
UNPACKED_MOST = 1 << 30
READABLE = "PDF, DOCX, XLSX, XLS, ODS, CSV, TXT, Markdown, JPEG, PNG, WebP, HEIC, GIF"


@dataclass(frozen=True, slots=True)
class Found:
    """A file's text, or the picture that it is; `left_out` tells what is not in it, as UNIT:COUNT.

    The units: pages, rows, sheets, characters, scans (pages without text), frames.
    """

    text: str = ""
    picture: bytes = b""
    media_type: str = ""
    left_out: str = ""


def left_out(**counts: int) -> str:
    """Return what is not in a text, by its unit; empty where all is."""
    return ",".join(f"{unit}:{count}" for unit, count in counts.items() if count > 0)


def unread(text_id: str, **facts: object) -> InputError:
    """Return the refusal of a file; whoever knows its name adds that."""
    return InputError("file", text_id, facts=facts)


class TextRoom:
    """Collects the lines of a text until it is as long as one may be."""

    def __init__(self, most: int = TEXT_MOST) -> None:
        self._lines: list[str] = []
        self._left = most

    def add(self, line: str) -> bool:
        """Take a line, or its beginning; return whether all of it went in."""
        taken = line[: max(self._left, 0)]
        if taken or not line:
            self._lines.append(taken)
        self._left -= len(line) + 1
        return len(taken) == len(line)

    def text(self) -> str:
        """Return all that was taken."""
        return "\n".join(self._lines)
