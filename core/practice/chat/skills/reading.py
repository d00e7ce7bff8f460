"""Reading: an answer from the files that a question brings along, told as they tell it.

As with pages of the web, the practice model is a gullible one: it repeats what a file says.
"""

import re

from core.practice.chat.texts import Language

_FILE = re.compile(
    r"^=== ATTACHED FILE ([0-9a-f]{16}) ===\n[^\n]*\nname: ([^\n]*)\n(?:left out: ([^\n]*)\n)?\n"
    r"(.*?)\n=== END OF ATTACHED FILE \1 ===$",
    re.M | re.S,
)
_QUOTED = 2_000


def read_back(blocks: str, language: Language) -> str:
    """Return an answer that tells of every file how long it is, and how it begins."""
    found = _FILE.findall(blocks)
    count = len(found)
    head = f"收到了 {count} 个文件：" if language == "zh" else f"{count} files have come:"
    lines = [head, ""]
    for _, name, left_out, words in found:
        length = f"{len(words)} 字" if language == "zh" else f"{len(words)} characters"
        lacking = f"（缺 {left_out}）" if language == "zh" else f" (without {left_out})"
        said = " ".join(words.split())[:_QUOTED]
        lines.append(f"- {name}, {length}{lacking if left_out else ''}: {said}")
    return "\n".join(lines)
