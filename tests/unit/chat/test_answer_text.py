"""Answers whose thinking stands in the text, as their readers see them while they grow."""

from datetime import UTC, datetime

import pytest

from core.models.chat import AnswerStatus, Message
from core.models.deltas import Delta, Extras
from core.models.notices import moved_text, notices_of, unread_events, wanted_tools
from core.models.parts import TextPart, ToolCall, ToolCallPiece
from core.wire.masking.secrets import known_secrets
from core.work.chat.buffers.cursors import Cursor
from core.work.chat.buffers.tool_call_buffer import ToolCallBuffer
from core.work.chat.live_answer import LiveAnswer

CALL = "<｜tool▁call▁begin｜>look<｜tool▁sep｜>{}<｜tool▁call▁end｜>"
CALLS = f"<｜tool▁calls▁begin｜>{CALL}<｜tool▁calls▁end｜>"


def begun(content: str = "", **fields: object) -> LiveAnswer:
    message = Message(
        id="a1",
        conversation_id="c1",
        parent_id="q1",
        role="assistant",
        content=content,
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
        status=AnswerStatus.RUNNING,
        error_facts=dict(fields),
    )
    return LiveAnswer(message, "local")


def grown(*pieces: str, content: str = "") -> LiveAnswer:
    answer = begun(content)
    for piece in pieces:
        answer.add(Delta("content", [piece]))
    return answer


def ended(answer: LiveAnswer) -> Message:
    answer.finish(AnswerStatus.COMPLETE)
    return answer.snapshot()


def both(message: Message) -> tuple[str, str]:
    return message.reasoning_content, message.content


def test_a_tag_cut_in_two_is_no_text() -> None:
    answer = grown("<th", "ink>", "First weigh ", "both sides.", "</th", "ink>\n\n", "It is 42.")
    growth = answer.read(Cursor())
    assert (growth.reasoning, growth.content) == ("First weigh both sides.", "It is 42.")
    assert both(ended(answer)) == ("First weigh both sides.", "It is 42.")


def test_what_is_held_back_was_bought() -> None:
    answer = grown("<th")
    assert answer.has_grown
    assert both(ended(answer)) == ("", "<th")


def test_a_late_close_moves_what_was_said() -> None:
    answer = grown("First ", "weigh.\n")
    page, http = answer.read(Cursor()).cursor, answer.read_pieces(Cursor()).cursor
    answer.add(Delta("content", ["</think>\n\nIt is"]))
    # A reader over HTTP goes on, with places that stay right.
    pieces = answer.read_pieces(http)
    assert (pieces.content, pieces.reasoning) == (["\nIt is"], [])
    assert (pieces.cursor.content, pieces.has_jumped) == (len("First weigh.\nIt is"), False)
    # One who comes back is not told again what was thought.
    late = answer.read_pieces(Cursor(content=5))
    assert (late.content, late.reasoning, late.has_jumped) == (["It is"], [" weigh.".strip()], True)
    # A page that showed it as the answer begins anew.
    assert answer.read(page).is_rearranged
    fresh = answer.read(Cursor())
    assert (fresh.reasoning, fresh.content, fresh.is_rearranged) == ("First weigh.", "It is", False)
    answer.add(Delta("content", [" 42."]))
    later = answer.read(fresh.cursor)
    assert (later.reasoning, later.content, later.is_rearranged) == ("", " 42.", False)
    message = ended(answer)
    assert both(message) == ("First weigh.", "It is 42.")
    assert message.reasoning_s is not None
    assert moved_text(message.error_facts) == (0, len("First weigh.\n"))


def test_a_page_that_had_read_nothing_sees_it_arranged() -> None:
    answer = grown()
    cursor = answer.read(Cursor()).cursor
    for piece in ("想", "。</think>", "答"):
        answer.add(Delta("content", [piece]))
    growth = answer.read(cursor)
    assert (growth.reasoning, growth.content, growth.is_rearranged) == ("想。", "答", False)


def test_a_late_close_of_a_continued_answer_leaves_what_there_was() -> None:
    answer = grown("weigh once more</think> a time", content="Once")
    assert both(ended(answer)) == ("weigh once more", "Once a time")
    assert both(ended(grown("<think>so</think>upon", content="Once "))) == ("so", "Once upon")


def test_an_open_think_that_never_closes_is_thinking() -> None:
    message = ended(grown("<think>", "and so on"))
    assert both(message) == ("and so on", "")


def test_a_secret_in_front_of_a_late_close_is_masked() -> None:
    known_secrets.add("sk-late-close-0123456789")
    message = ended(grown("key sk-late-close-", "0123456789", "</think>done sk-late-cl"))
    assert message.content.startswith("done")
    assert "0123456789" not in message.reasoning_content + message.content


def test_calls_that_leak_are_kept_as_calls() -> None:
    answer = grown("Let me look.\n\n", CALLS[:9], CALLS[9:])
    assert wanted_tools(answer.outline()) == ("look",)
    message = ended(answer)
    assert message.content == "Let me look."
    assert message.parts == (TextPart("Let me look."), ToolCall("call_a1_0", "look", "{}"))
    assert [notice.text_id for notice in notices_of(message)] == ["notice.tool_wanted"]


def test_a_call_without_a_name_is_kept_too() -> None:
    message = ended(grown("<｜DSML｜function_calls>"))
    assert (message.content, wanted_tools(message)) == ("", ())
    assert [notice.text_id for notice in notices_of(message)] == ["notice.call_wanted"]


def test_what_could_not_be_read_is_counted_and_told() -> None:
    answer = grown("a")
    answer.add(Delta("content", [], Extras(unread=1)), Delta("content", ["b"], Extras(unread=2)))
    message = ended(answer)
    assert (message.content, unread_events(message.error_facts)) == ("ab", 3)
    assert notices_of(message)[0].facts == {"count": 3}


def test_a_continued_answer_lacks_what_its_beginning_lacked() -> None:
    answer = begun("a", unread_events=2)
    assert unread_events(ended(answer).error_facts) == 2
    answer = begun("a", unread_events=2)
    answer.add(Delta("content", [], Extras(unread=1)))
    assert unread_events(ended(answer).error_facts) == 3


def test_an_answer_as_it_should_be_has_no_notices() -> None:
    message = ended(grown("好。"))
    assert (message.error_facts, notices_of(message)) == ({}, ())


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_one_odd_backtick_in_the_thinking_swallows_no_answer(size: int) -> None:
    text = "<think>I need the ` sign.</think>\n\nThe answer is 42."
    message = ended(grown(*(text[at : at + size] for at in range(0, len(text), size))))
    assert both(message) == ("I need the ` sign.", "The answer is 42.")


def test_a_leaked_tools_name_is_a_plain_word() -> None:
    name = "evil\n\n# Heading <b>\n![x](http://a)"
    call = f"<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{{}}<｜tool▁call▁end｜>"
    message = ended(grown(f"<｜tool▁calls▁begin｜>{call}<｜tool▁calls▁end｜>"))
    assert [part.name for part in message.parts if isinstance(part, ToolCall)] == ["other"]


def heard_over_http(answer: LiveAnswer) -> str:
    """Return what a reader over HTTP has got who was there from the beginning."""
    return "".join(answer.read_pieces(Cursor()).content)


SECRET = "sk-halves-9f8e7d6c5b4a3f2e"


@pytest.mark.parametrize("cut", range(1, len(SECRET)))
@pytest.mark.parametrize("is_whole", [False, True])
def test_halves_of_a_secret_around_a_late_close_never_meet(cut: int, is_whole: bool) -> None:
    known_secrets.add(SECRET)
    pieces = [f"So: {SECRET[:cut]}", "</think>", f"{SECRET[cut:]} it is."]
    answer, cursor, heard = begun(), Cursor(), ""
    for piece in ["".join(pieces)] if is_whole else pieces:
        answer.add(Delta("content", [piece]))
        growth = answer.read_pieces(cursor)
        cursor, heard = growth.cursor, heard + "".join(growth.content)
    message = ended(answer)
    heard += "".join(answer.read_pieces(cursor).content)
    assert SECRET not in heard
    assert SECRET[6:] not in heard
    assert SECRET[6:] not in message.reasoning_content + message.content
    assert message.content.endswith(" it is.")
    assert message.reasoning_content.startswith("So:")


def test_what_only_began_like_a_secret_before_a_late_close_is_thought() -> None:
    known_secrets.add(SECRET)
    answer = grown(f"So: {SECRET[:9]}", "</think>\n\n", "It is", " 42.")
    assert both(ended(answer)) == (f"So: {SECRET[:9]}", "It is 42.")
    answer = grown(f"So: {SECRET[:9]}", "</think>")
    assert both(ended(answer)) == (f"So: {SECRET[:9]}", "")


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    ("text", "reasoning", "content"),
    [
        (
            "I need the ` sign.</think>The answer\nis 42.",
            "I need the ` sign.",
            "The answer\nis 42.",
        ),
        ("A ` sign.\n</think>\n\nDone.", "A ` sign.", "Done."),
        ("```py\nx = 1\n</think>\n\nDone.\n", "```py\nx = 1", "Done.\n"),
        ("The tag `</think>` ends it.", "", "The tag `</think>` ends it."),
    ],
)
def test_an_odd_backtick_before_a_late_close(
    size: int, text: str, reasoning: str, content: str
) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    answer = grown(*pieces)
    message = ended(answer)
    assert both(message) == (reasoning, content)
    fresh = answer.read(Cursor())
    assert (fresh.reasoning.strip(), fresh.content) == (reasoning, content)
    moved = moved_text(message.error_facts)
    assert (moved is not None) == bool(reasoning)


def test_the_answer_behind_an_odd_backtick_is_seen_while_it_grows() -> None:
    answer = grown("<think>The ` sign.</think>", "It is 42.\n", "\nFor ", "one")
    assert answer.read(Cursor()).content == "It is 42.\n\nFor one"
    assert both(ended(answer)) == ("The ` sign.", "It is 42.\n\nFor one")


@pytest.mark.parametrize(
    ("pieces", "heard"),
    [
        (["Let me look.\n\n", CALLS], ["Let me look."]),
        (["Let me look.", "\n\n", CALLS, "\n"], ["Let me look."]),
        (["Look.\n \n", CALLS, "\n\nFound."], ["Look.", "\n \nFound."]),
        (["a\n", "\n", "b\n"], ["a", "\n", "\n", "b", "\n"]),
        (["a", "\n\n", "b", "\n"], ["a", "\n\n", "b", "\n"]),
        (["a ", "b\n", "c"], ["a ", "b", "\nc"]),
        (["\n\n", CALLS], []),
    ],
)
def test_blank_lines_before_a_call_are_not_sent(pieces: list[str], heard: list[str]) -> None:
    answer = grown(*pieces)
    message = ended(answer)
    assert "".join(answer.read_pieces(Cursor()).content) == "".join(heard)
    assert message.content == "".join(heard)


def test_a_secret_in_a_calls_id_or_name_is_masked_too() -> None:
    key = "sk-in-a-name-0123456789"
    known_secrets.add(key)
    buffer = ToolCallBuffer("a")
    for arguments in ('{"a":', "1}"):  # some servers repeat the id
        buffer.extend([ToolCallPiece(0, f"call-{key}", key, arguments)])
    assert buffer.whole() == (ToolCall("call-…", "…", '{"a":1}'),)
