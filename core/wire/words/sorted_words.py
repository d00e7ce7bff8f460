"""A whole text told apart at once: what it says, what in it was thought, and calls that leaked."""

from typing import NamedTuple

from core.wire.words.model_words import WordSorter
from core.wire.words.word_marks import BLANK, without_closing


class Sorted(NamedTuple):
    """A whole text, told apart."""

    content: str
    reasoning: str
    calls: str


def sort_words(text: str, *, is_thought_apart: bool = False) -> Sorted:
    """Return what a whole answer's text says, what in it was thought, and calls that leaked.

    `is_thought_apart`: the thinking is known already, so no later tag closes it.
    """
    if "<" not in text:
        return Sorted(text, "", "")
    sorter = WordSorter()
    if is_thought_apart:
        sorter.note_reasoning()
    thoughts_before = mark = 0
    said: list[str] = []
    thought: list[str] = []
    calls: list[str] = []
    for word in (*sorter.feed(text), *sorter.end()):
        if word.kind == "close":
            thought, said = ["".join(said).strip(BLANK)], []
        elif word.kind == "mark":
            mark = len(said)
        elif word.kind == "settle":
            thought = [without_closing("".join(said[:mark])).strip(BLANK)]
            said = ["".join(said[mark:]).lstrip(BLANK)]
        elif word.kind == "doubt":
            thoughts_before = len(thought)
        elif word.kind == "reopen":
            thought, said = ["".join(thought[:thoughts_before]).rstrip(BLANK)], [word.text]
        else:
            kept = {"content": said, "reasoning": thought, "call": calls}[word.kind]
            kept.append(word.text)
    content = "".join(said)
    return Sorted(content.rstrip() if calls else content, "".join(thought), "".join(calls))
