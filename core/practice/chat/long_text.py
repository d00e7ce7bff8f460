"""Essays of a given length: varied Markdown put together from the texts' sentences."""

import random
import re
from collections.abc import Iterator

from core.practice.chat.texts import Language, passages

LONGEST_CHARACTERS = 100_000
_CHARACTERS_PER_ENGLISH_WORD = 6
_ASKED = re.compile(
    r"(\d[\d,，]*(?:\.\d+)?)\s*(万|千)?\s*(?:个)?\s*(字|汉字|字符|characters?|chars|words?)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^。！？.!?\n]*[。！？.!?\n]+")


def asked_length(question: str) -> int | None:
    """Return the length in characters a question asks for, if it names one."""
    found = _ASKED.search(question)
    if found is None:
        return None
    digits, scale, unit = found.groups()
    number = float(re.sub("[,，]", "", digits)) * {"万": 10_000, "千": 1_000}.get(scale, 1)
    if unit.lower().startswith("word"):
        number *= _CHARACTERS_PER_ENGLISH_WORD
    return max(1, min(int(number), LONGEST_CHARACTERS))


def long_text(question: str, characters: int, language: Language) -> str:
    """Return about that many characters of Markdown, the same for the same question."""
    characters = min(characters, LONGEST_CHARACTERS)
    blocks, written = [], 0
    for block in _blocks(random.Random(question), language):
        if written + len(block) + 2 > characters:
            blocks.append(_shortened(block, characters - written))
            break
        blocks.append(block)
        written += len(block) + 2
    return "\n\n".join(block for block in blocks if block)


def _shortened(block: str, characters: int) -> str:
    """Return the whole sentences of a block that fit, or its beginning when none does."""
    if block.startswith(("#", "|", "```", "$$", "- ", "1. ")):
        return ""
    kept = ""
    for sentence in _SENTENCE.findall(block):
        if len(kept) + len(sentence) > characters:
            break
        kept += sentence
    return (kept or block[:characters]).strip()


def _blocks(dice: random.Random, language: Language) -> Iterator[str]:
    """Yield headings, paragraphs, lists, quotes, code, tables and formulas without end."""
    themes = [_Theme.read(passage) for passage in passages(language, "essay")]
    ornaments = passages(language, "ornaments")
    order = themes[:]
    chapter = 0
    while True:
        dice.shuffle(order)
        for theme in order:
            chapter += 1
            if chapter > 1:
                heading = f"第 {chapter} 节　" if language == "zh" else f"{chapter}. "
                yield f"## {heading}{theme.name}"
            sentences = theme.sentences[:]
            dice.shuffle(sentences)
            joint = "" if language == "zh" else " "
            half = len(sentences) // 2
            yield joint.join(sentences[:half])
            if chapter % 2 == 0:
                yield ornaments[(chapter // 2 - 1) % len(ornaments)]
            yield joint.join(sentences[half:])
            if chapter % 3 == 0:
                points = dice.sample(sentences, 3)
                mark = "- " if chapter % 2 else "1. "
                yield "\n".join(mark + point for point in points)
            if chapter % 4 == 0:
                yield f"> {dice.choice(sentences)}"


class _Theme:
    def __init__(self, name: str, sentences: list[str]) -> None:
        self.name = name
        self.sentences = sentences

    @classmethod
    def read(cls, passage: str) -> "_Theme":
        name, *sentences = [line.strip() for line in passage.splitlines() if line.strip()]
        return cls(name.lstrip("# "), sentences)
