"""What every program is asked, and the answer: its first and its last character are marks."""

import json
import re
from dataclasses import dataclass
from typing import Any, Self

from bench.browser.documents import chunks, document
from tests.upstream import Plan, Step, completion, streamed

PAUSE_S = 0.02
ANSWER_CHARS = 600
_NUMBER = re.compile(r"问题 (\d+)")
# Characters of the CJK extension A: no page shows one by itself.
_MARKS_FROM, _QUESTIONS = 0x3400, 3_000
MARKS = f"{chr(_MARKS_FROM)}-{chr(_MARKS_FROM + 2 * _QUESTIONS)}"  # as a pattern has them


@dataclass(frozen=True, slots=True)
class Question:
    """A question by its number, and the marks by which its answer is seen."""

    number: int

    @property
    def text(self) -> str:
        return f"问题 {self.number}：江边的灯火什么时候亮？"

    @property
    def first(self) -> str:
        return chr(_MARKS_FROM + 2 * (self.number % _QUESTIONS))

    @property
    def last(self) -> str:
        return chr(_MARKS_FROM + 2 * (self.number % _QUESTIONS) + 1)

    @property
    def pieces(self) -> list[str]:
        """The answer as the upstream sends it: the first character comes alone."""
        text = document("markdown", ANSWER_CHARS)
        return [self.first, "\n\n", *chunks(text), f"\n\n{self.last}"]

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """Read it from the last message, however a program wraps that."""
        said = json.dumps(body["messages"][-1]["content"], ensure_ascii=False)
        found = _NUMBER.search(said)
        if found is None:
            raise ValueError(f"no question: {said}")
        return cls(int(found[1]))


def answer_question(body: dict[str, Any]) -> Plan:
    """Answer at once and at an even pace; titles are asked for whole."""
    if body.get("stream"):
        yield from streamed(Question.read(body).pieces, PAUSE_S)
    else:
        yield Step(0, completion("基准"))
