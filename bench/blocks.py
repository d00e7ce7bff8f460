"""Parse work per added character while an answer grows: it must not grow with the answer.

Run from the repository's root: python -m bench.blocks
"""

import time
from collections.abc import Callable

from core.markdown.splitter import BlockSplitter
from core.ui.chat.answer.growing_text import as_drawn
from core.ui.chat.streaming import DISPLAY_LIMIT, pause_s

SHORT_CHARS = 5_000
LONG_CHARS = 50_000
CHUNK_CHARS = 14  # 28,000 characters in 2,000 chunks
CHUNKS_PER_S = 50  # drawn 12 times a second, a long tail less often
REPEATS = 5

SENTENCE = "流式输出的**每一段**都要尽快显示，`代码`与公式 $x_1$ 也一样。"


def prose(number: int) -> str:
    """Return one paragraph, a heading before every fifth."""
    return f"## 第 {number} 节\n\n" * (number % 5 == 0) + SENTENCE * 5 + "\n\n"


KINDS: dict[str, tuple[str, Callable[[int], str]]] = {
    "prose": ("", prose),
    "one list": ("", lambda number: f"{number + 1}. {SENTENCE}\n"),
    "one fence": ("```python\n", lambda number: f"print('第 {number} 行')  # 注释\n"),
    "one paragraph": ("", lambda _: SENTENCE),
    "one table": ("| 甲 | 乙 |\n|---|---|\n", lambda number: f"| {number} | {SENTENCE} |\n"),
}


def document(kind: str, chars: int) -> str:
    """Return a document of that kind, cut to length."""
    opening, part = KINDS[kind]
    return (opening + "".join(map(part, range(chars // len(part(1)) + 1))))[:chars]


def grow(text: str) -> tuple[float, int, int]:
    """Return the seconds it took, the characters parsed and the characters sent to the page."""
    splitter = BlockSplitter(DISPLAY_LIMIT, joins_code=True)
    sent = 0
    rest_until = 0.0
    started = time.perf_counter()
    for number, position in enumerate(range(0, len(text), CHUNK_CHARS)):
        splitter.feed(text[position : position + CHUNK_CHARS])
        if number / CHUNKS_PER_S >= rest_until:
            frozen, live = splitter.tail_parts()
            rest_until = number / CHUNKS_PER_S + pause_s(live)
            sent += sum(len(as_drawn(piece)) for piece in (*frozen, live))
    splitter.finish()
    frozen, _ = splitter.tail_parts()
    sent += sum(len(as_drawn(piece)) for piece in frozen)
    return time.perf_counter() - started, splitter.parsed_chars, sent


def main() -> None:
    """Print one table; the last column is the one that must stay near 1."""
    print(f"| document | chars | parsed/char | sent/char | µs/char | µs/char vs {SHORT_CHARS:,} |")
    print("|---|--:|--:|--:|--:|--:|")
    for kind in KINDS:
        short_us = 0.0
        for chars in (SHORT_CHARS, LONG_CHARS):
            text = document(kind, chars)
            runs = [grow(text) for _ in range(REPEATS)]
            seconds, parsed, sent = min(runs)
            us = seconds / chars * 1e6
            short_us = short_us or us
            print(
                f"| {kind} | {chars:,} | {parsed / chars:.2f} | {sent / chars:.1f} "
                f"| {us:.2f} | {us / short_us:.2f} |"
            )


if __name__ == "__main__":
    main()
