"""What a continued answer begins with, where tools were called for the one that was cut."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.chat import AnswerStatus, Message
from core.models.parts import TextPart, ToolStep, plain_text
from core.work.chat.asking.steps import answer_turns, begins_with, begun_turns
from core.work.chat.buffers.answer_text import GAP

ENDINGS = ["", " ", "\n", "\n\n", "\n\n\n", ":  \n", " \n\n", "。　"]


def cut(said: str, thought: str, rest: str, state: str = "done") -> Message:
    """Return an answer that was cut behind a call, as it is kept."""
    step = ToolStep("call_1", "time", "{}", "1", "noon", state, thought, said)
    content = f"{said}{GAP}{rest}" if rest and said.strip() else rest or said
    return Message(
        id="first",
        conversation_id="c",
        parent_id="q",
        role="assistant",
        content=content,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        reasoning_content=thought,
        status=AnswerStatus.CUT_OFF,
        parts=(TextPart(content), step),
    )


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("rest", ["", "It is n"])
def test_no_word_is_sent_twice_whatever_the_words_before_the_call_end_in(
    ending: str, rest: str
) -> None:
    begun = begins_with(cut(f"I look.{ending}", f"Let me see.{ending}", rest))
    turns = begun_turns(begun, with_steps=True, with_reasoning=True)
    said = [turn.text for turn in turns if turn.role == "assistant"]
    assert said == [f"I look.{ending}", *([rest] if rest else [])]
    assert [turn.prefix for turn in turns if turn.role == "assistant"][1:] == [True] * bool(rest)
    whole = f"{begun.content}oon."
    parts = (TextPart(whole), *begun.parts[1:])
    *_, last = answer_turns(parts, "", with_steps=True, with_reasoning=False)
    assert last.text == f"{rest}oon."


@given(st.text(" \n\tab。", max_size=8), st.text("cd \n", max_size=5))
def test_what_was_said_and_what_follows_are_told_apart(said: str, rest: str) -> None:
    begun = begins_with(cut(said, "", rest))
    turns = begun_turns(begun, with_steps=True, with_reasoning=False)
    prefixes = [turn.text for turn in turns if turn.prefix]
    assert prefixes == ([rest] if rest.strip() else [])


def test_without_steps_the_whole_text_is_gone_on_from() -> None:
    begun = begins_with(cut("I look.", "", "It is n"))
    (turn,) = begun_turns(begun, with_steps=False, with_reasoning=False)
    assert (turn.text, turn.prefix) == (f"I look.{GAP}It is n", True)


def test_what_a_dead_process_was_doing_is_under_way_no_more() -> None:
    begun = begins_with(cut("", "", "", state="running"))
    (step,) = [part for part in begun.parts if isinstance(part, ToolStep)]
    assert (step.state, step.made_in) == ("stopped", "first")
    assert begins_with(begun).parts[-1] == step  # where it was first made stays
    assert plain_text(begun.parts) == ""
