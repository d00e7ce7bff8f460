"""A short title for a question."""

import re

from core.practice.chat.texts import language_of

_CHINESE_WIDTH = 14  # in Chinese characters; others count half
_ENGLISH_WORDS = 7
_SPEAKER = re.compile(r"^\s*(?:user|question|q|用户|提问|问题|问)\s*[:：]\s*", re.IGNORECASE)
_POLITE = re.compile(
    r"^(?:你好|您好|请问|请你|请|麻烦你?|帮我|给我|能不能|可以|我想知道|我想|告诉我|一下|[，,、 ])+"
)
_POLITE_ENGLISH = re.compile(
    r"^(?:(?:hello|hi|hey|please|can you|could you|would you|tell me|show me|help me"
    r"|i want to know|i want to)\b[\s,!]*)+",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[#*`>_\[\]{}<>|$]+")
_SENTENCE_END = re.compile(r"[。！？!?；;\n]|\.(?:\s|$)")


def title(question: str) -> str:
    """Return a title of a few words, the same for the same question."""
    line = next((line for line in question.splitlines() if line.strip()), "")
    line = _MARKS.sub("", _SPEAKER.sub("", line)).strip()
    chinese = language_of(line) == "zh"
    plain = (_POLITE if chinese else _POLITE_ENGLISH).sub("", line)
    plain = _SENTENCE_END.split(plain, maxsplit=1)[0].strip(" ,，、:：\"'“”")
    plain = plain or line
    if chinese:
        first_clause = re.split(r"[，,：:]", plain)[0]
        kept = first_clause if len(first_clause) >= 4 else plain
        narrowed = _narrowed(kept)
        return narrowed.strip(" ，、" if narrowed == kept else " ，、的") or "新的对话"
    words = plain.split()[:_ENGLISH_WORDS]
    if not words:
        return "New conversation"
    shown = " ".join(words)[:60]
    return shown[0].upper() + shown[1:]


def _narrowed(words: str) -> str:
    width = 0.0
    for place, character in enumerate(words):
        width += 1 if character > "\u2e80" else 0.5
        if width > _CHINESE_WIDTH:
            return words[:place]
    return words
