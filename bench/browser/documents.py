"""Answers to stream, of any length, whose sentences carry numbers by which they can be seen."""

import re
from collections.abc import Callable, Iterator
from itertools import count

CHUNK_CHARS = 14  # 28,000 characters in 2,000 chunks

MARK = re.compile(r"〔(\d+)〕")
_WORDS = (
    "流式输出的每一段都要尽快显示，重绘的代价不能随着全文增长",
    "江边的灯火一盏一盏亮起来，渡船慢慢靠近岸边的石阶",
    "页面只看着回答，回答属于进程，所以刷新和关闭都不会丢字",
    "先把问题记下来再去问，这样断电以后还知道问过什么",
)


def document(kind: str, chars: int, *, first: int = 1) -> str:
    """Return a text of that kind and length, its sentences numbered from `first` on."""
    numbers = count(first)

    def sentence() -> str:
        number = next(numbers)
        return f"{_WORDS[number % len(_WORDS)]}〔{number}〕。"

    pieces = KINDS[kind](sentence)
    parts: list[str] = []
    length = 0
    while length < chars:
        parts.append(next(pieces))
        length += len(parts[-1])
    return "".join(parts)[:chars]


def _markdown(sentence: Callable[[], str]) -> Iterator[str]:
    for chapter in count(1):
        yield f"## 第 {chapter} 节　墨色与灯火\n\n"
        yield "".join(sentence() for _ in range(4)) + "\n\n"
        yield f"其中**{sentence()}**见 `core/ui/chat/streaming.py`，价格 $5 到 $9。{sentence()}\n\n"
        yield "".join(f"{item}. {sentence()}\n" for item in range(1, 5)) + "\n"
        yield "".join(f"- **要点**：{sentence()}\n  - {sentence()}\n" for _ in range(3)) + "\n"
        yield "| 项目 | 说明 |\n|---|---|\n"
        yield "".join(f"| 第 {row} 行 | {sentence()} |\n" for row in range(1, 5)) + "\n"
        yield f"> {sentence()}{sentence()}\n\n"
        lines = "".join(f"    print('{sentence()}')\n" for _ in range(5))
        yield f"```python\ndef chapter_{chapter}() -> None:\n{lines}```\n\n"
        yield "$$\nE = mc^2\n$$\n\n"


def _paragraph(sentence: Callable[[], str]) -> Iterator[str]:
    while True:
        yield sentence()


def _fence(sentence: Callable[[], str]) -> Iterator[str]:
    yield "```python\n"
    while True:
        yield f"print('{sentence()}')\n"


KINDS: dict[str, Callable[[Callable[[], str]], Iterator[str]]] = {
    "markdown": _markdown,
    "one paragraph": _paragraph,
    "one fence": _fence,
}


def chunks(text: str) -> list[str]:
    """Return the text as an upstream would send it."""
    return [text[at : at + CHUNK_CHARS] for at in range(0, len(text), CHUNK_CHARS)]


def marks_by_chunk(pieces: list[str]) -> list[int]:
    """Return for each chunk the number of the last sentence that is whole behind it."""
    shown, last, found = "", 0, []
    for piece in pieces:
        shown = shown[-10:] + piece
        if match := list(MARK.finditer(shown)):
            last = int(match[-1][1])
        found.append(last)
    return found
