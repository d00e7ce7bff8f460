"""Every code that DeepSeek, HTTP and Kling refuse with: one table of data, meaning and cure.

`code.SERVICE_CODE` is the meaning, `code.do_CURE` what helps. Kling's statuses repeat themselves:
its codes decide (docs/providers/kling.md), so each has a row of its own.
"""

from dataclasses import dataclass
from typing import Literal

from core.texts import catalogue
from core.texts.catalogue import Language

Service = Literal["chat", "kling"]


@dataclass(frozen=True, slots=True)
class Code:
    """A code, and the status it comes with."""

    service: Service
    code: int
    status: int
    cure: str

    def meaning(self, language: Language) -> str:
        """Return what it says."""
        if self.service == "chat":
            return catalogue.text(language, f"code.chat_{self.code}")
        return catalogue.text(language, f"code.kling_{self.code}")

    def what_to_do(self, language: Language) -> str:
        """Return what helps."""
        return catalogue.text(language, f"code.do_{self.cure}")


_CHAT: tuple[tuple[int, str], ...] = (
    (400, "request"),
    (401, "key"),
    (402, "top_up"),
    (403, "rights"),
    (404, "address"),
    (405, "address"),
    (408, "wait"),
    (413, "shorter"),
    (422, "request"),
    (429, "slower"),
    (500, "wait"),
    (502, "wait"),
    (503, "wait"),
    (504, "wait"),
)
_KLING: tuple[tuple[int, int, str], ...] = (
    (1000, 401, "key"),
    (1001, 401, "key"),
    (1002, 401, "key"),
    (1003, 401, "clock"),
    (1004, 401, "clock"),
    (1100, 429, "console"),
    (1101, 429, "top_up"),
    (1102, 429, "package"),
    (1103, 403, "rights"),
    (1200, 400, "request"),
    (1201, 400, "request"),
    (1202, 404, "address"),
    (1203, 404, "gone"),
    (1300, 400, "reword"),
    (1301, 400, "reword"),
    (1302, 429, "slower"),
    (1303, 429, "slots"),
    (1304, 429, "address_list"),
    (5000, 500, "wait"),
    (5001, 503, "wait"),
    (5002, 504, "wait"),
)
CODES: tuple[Code, ...] = (
    *(Code("chat", status, status, cure) for status, cure in _CHAT),
    *(Code("kling", code, status, cure) for code, status, cure in _KLING),
)


def codes_named(words: str) -> tuple[Code, ...]:
    """Return the rows of a code, or of a status; all where no words are given."""
    words = words.strip()
    return tuple(one for one in CODES if not words or words in (str(one.code), str(one.status)))
