"""What a benchmark asks its upstream for, in the words of the question itself."""

from dataclasses import dataclass
from typing import Any, Self

from bench.browser.documents import chunks, document
from tests.upstream import STREAM_HEAD, Plan, Step, completion, event, streamed


@dataclass(frozen=True, slots=True)
class Script:
    """A text of a kind and length, in chunks at a pace; `first` numbers its first sentence."""

    kind: str = "markdown"
    chars: int = 5_000
    pause_ms: float = 20
    first_ms: float = 300
    first: int = 1
    is_silent: bool = False  # stays open at the end instead of ending

    @property
    def question(self) -> str:
        return "|".join(
            str(part)
            for part in (
                *(self.kind, self.chars, self.pause_ms, self.first_ms, self.first),
                int(self.is_silent),
            )
        )

    @classmethod
    def read(cls, question: str) -> Self:
        kind, chars, pause_ms, first_ms, first, is_silent = question.split("|")
        return cls(kind, int(chars), float(pause_ms), float(first_ms), int(first), is_silent == "1")

    @property
    def text(self) -> str:
        return document(self.kind, self.chars, first=self.first)

    @property
    def pieces(self) -> list[str]:
        return chunks(self.text)


def answer_script(body: dict[str, Any]) -> Plan:
    """Answer what the script asks for, and titles."""
    if not body.get("stream"):
        yield Step(0, completion("基准"))
        return
    script = Script.read(body["messages"][-1]["content"])
    if not script.is_silent:
        yield from streamed(script.pieces, script.pause_ms / 1000, script.first_ms / 1000)
        return
    yield Step(0, STREAM_HEAD)
    for piece in script.pieces:
        yield Step(script.pause_ms / 1000, event(content=piece))
    yield Step(0, None)
