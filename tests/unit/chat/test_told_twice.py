"""Answers told more than once: cumulative pieces, and the whole once more at the end."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.deltas import Completion
from core.models.parts import ToolCallPiece
from core.providers.deepseek.told import CallsSoFar, TextSoFar
from tests.unit.chat.test_deepseek_stream import DONE, FINISH, delta, read
from tests.unit.chat.test_lenient_streams import choice, raw_delta, said

STOP: dict[str, Any] = {"finish_reason": "stop"}


def versions(text: str, *sizes: int) -> list[str]:
    """Return the beginnings of a text, each longer by one of `sizes`."""
    ends: list[str] = []
    at = 0
    while at < len(text):
        at += sizes[len(ends) % len(sizes)]
        ends.append(text[:at])
    return ends


TEXTS = [
    "The answer is 42, and here is why: because it is.",
    "答案是四十二，因为就是这样。",
    "# Title\n\n- one\n- two\n",
    "Hi 😀 there",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("sizes", [(1,), (3,), (2, 7), (20,)])
@pytest.mark.parametrize("key", ["delta", "message"])
@pytest.mark.parametrize("part", ["content", "reasoning_content"])
def test_pieces_that_hold_all_before_them_are_one_text(
    text: str, sizes: tuple[int, ...], key: str, part: str
) -> None:
    told = versions(text, *sizes)
    body = b"".join(choice(**{key: {part: one}}) for one in told)
    last = choice(**{key: {part: told[-1]}}, **STOP)  # many tell the last version twice
    endings = (FINISH + DONE, DONE, last + DONE)
    for ending in endings if len(told) > 1 else endings[:2]:
        assert "".join(said(read(body + ending))[:2]) == text


def test_both_texts_may_hold_all_before_them() -> None:
    thoughts, answers = versions("Weigh both sides of it.", 4), versions("It is 42, I think.", 3)
    body = b"".join(delta(reasoning_content=one, content="") for one in thoughts)
    body += b"".join(delta(reasoning_content=thoughts[-1], content=one) for one in answers)
    assert said(read(body + FINISH + DONE)) == (answers[-1], thoughts[-1], 0)


@pytest.mark.parametrize(
    "told",
    [
        ["\n", "\n\n", "\n\nHi", "\n\nHi there"],
        ["哈", "哈哈", "哈哈，", "哈哈，好", "哈哈，好的。"],
        ["The", "The", "The sea", "The sea", "The sea is", "The sea is wide."],
        ["Ha", "Ha ha", "Ha ha, yes", "Ha ha, yes", "Ha ha, yes."],
        ["1", "10", "100", "1000 men"],
    ],
)
def test_versions_that_begin_like_a_refrain_are_one_text(told: list[str]) -> None:
    body = b"".join(delta(content=one) for one in told)
    for ending in (FINISH + DONE, DONE):
        assert said(read(body + ending)) == (told[-1], "", 0)


def test_half_a_character_at_the_end_of_a_version_is_replaced() -> None:
    told = ["The ", "The sea", "The sea \ufffd", "The sea 😀", "The sea 😀 is \ufffd"]
    body = b"".join(delta(content=one) for one in told)
    assert said(read(body + DONE))[0] == told[-1]


@pytest.mark.parametrize(
    "pieces",
    [
        ["ha", "ha", "haha", "!"],
        ["ha", "haha", "hahaha"],
        ["哈", "哈哈", "哈哈哈"],
        ["*", "**", "***", "\n"],
        ["1", "10", " is"],
        ["no", "nobody", " came"],
        ["\n", "\n\n", "\n\n\n"],
        ["I am here.\n", "I am here.\n", "I am here.\nI am here.\n"],
        ["No, ", "no. ", "No, no. "],
        ["a", "ab"],
        ["ha", "ha", "ha!", " Yes."],
        ["The ", "The ", "sea"],
        ["*"] * 20,
        ["*" * size for size in range(1, 30)],
        ["- ", "- one", "\n- two"],
    ],
)
def test_a_text_that_repeats_itself_is_whole(pieces: list[str]) -> None:
    body = b"".join(delta(content=piece) for piece in pieces)
    for ending in (FINISH + DONE, DONE):
        assert said(read(body + ending)) == ("".join(pieces), "", 0)
    last = choice(delta={"content": pieces[-1]}, **STOP)
    before = b"".join(delta(content=piece) for piece in pieces[:-1])
    assert said(read(before + last + DONE)) == ("".join(pieces), "", 0)


def test_what_follows_versions_as_pieces_is_kept() -> None:
    told = [*versions("The answer is 42", 5), ", I think", "."]
    body = b"".join(delta(content=one) for one in told)
    assert said(read(body + FINISH + DONE))[0] == "The answer is 42, I think."


@pytest.mark.parametrize("pieces", [["Whole answer."], ["Whole ", "ans", "wer."], ["A", "b"]])
@pytest.mark.parametrize("key", ["delta", "message"])
@pytest.mark.parametrize("behind", [False, True])
def test_the_whole_once_more_at_the_end_is_no_text(
    pieces: list[str], key: str, behind: bool
) -> None:
    whole = "".join(pieces)
    body = b"".join(choice(**{key: {"content": piece}}) for piece in pieces)
    again = choice(message={"content": whole}, **STOP)
    assert said(read(body + (FINISH if behind else b"") + again + DONE)) == (whole, "", 0)


@pytest.mark.parametrize(
    ("before", "whole", "text"),
    [
        ("Whole ans", "Whole answer.", "Whole answer."),  # the message has more
        ("Whole answer.\n", "Whole answer.", "Whole answer.\n"),
        ("<think>Hm.</think>Yes.", "Yes.", "Yes."),
        ("Something.", "Another thing.", "Something.Another thing."),  # nothing is lost
        ("haha", "ha", "hahaha"),
    ],
)
def test_a_whole_at_the_end_brings_what_is_new_in_it(before: str, whole: str, text: str) -> None:
    body = b"".join(delta(content=piece) for piece in (before[:4], before[4:]) if piece)
    chunks = read(body + choice(message={"content": whole}, **STOP) + DONE)
    assert said(chunks)[0].removeprefix("<think>Hm.</think>") == text


def test_a_last_piece_that_says_the_first_again_is_kept() -> None:
    body = choice(message={"content": "ha"}) + choice(message={"content": "ha"}, **STOP)
    assert said(read(body + DONE))[0] == "haha"


def call(name: str, arguments: Any, **fields: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}, **fields}


def calls_in(body: bytes) -> list[ToolCallPiece]:
    return list(Completion.of(read(body)).extras.tool_calls)


def test_calls_of_a_whole_message_behind_deltas_are_kept() -> None:
    whole = {"content": "Look.", "tool_calls": [call("find", '{"q": 1}', id="c1")]}
    body = delta(content="Look.") + choice(message=whole, finish_reason="tool_calls") + DONE
    assert said(read(body))[0] == "Look."
    assert calls_in(body) == [ToolCallPiece(0, "c1", "find", '{"q": 1}')]


@pytest.mark.parametrize("arguments", ['{"q": 1}', '{"q":1}', {"q": 1}])
@pytest.mark.parametrize("fields", [{"id": "c1"}, {}])
def test_calls_that_were_told_are_not_told_again(arguments: Any, fields: dict[str, str]) -> None:
    told = delta(tool_calls=[call("find", '{"q"', index=0, id="c1")])
    told += delta(tool_calls=[{"index": 0, "function": {"arguments": ": 1}"}}])
    more = [call("find", arguments, **fields), call("look", "{}", id="c2")]
    body = delta(content="a") + told + choice(message={"content": "a", "tool_calls": more}, **STOP)
    assert calls_in(body + DONE)[2:] == [ToolCallPiece(1, "c2", "look", "{}")]


def test_calls_that_hold_all_before_them_are_one_call() -> None:
    arguments = versions('{"q": "sea"}', 4)
    told = (delta(tool_calls=[call("find", one, index=0, id="c1")]) for one in arguments)
    pieces = calls_in(b"".join(told) + FINISH + DONE)
    assert "".join(piece.arguments for piece in pieces) == arguments[-1]
    other = [call("find", "{}", index=0, id=name) for name in ("c1", "c2")]
    assert len(calls_in(delta(tool_calls=other[:1]) + delta(tool_calls=other[1:]) + DONE)) == 2


def test_the_rest_of_a_call_comes_from_the_whole() -> None:
    told = CallsSoFar()
    told.note([ToolCallPiece(0, "c1", "find", '{"q"')])
    whole = ToolCallPiece(0, "c1", "find", '{"q": 1}')
    assert told.take_whole([whole]) == [ToolCallPiece(0, "c1", "", ": 1}")]
    assert told.take_whole([whole]) == []


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab 。思", min_size=1, max_size=60), st.integers(0, 1 << 30))
def test_pieces_in_runs_are_the_text(text: str, seed: int) -> None:
    """Random cuts of random texts, read in batches: not one character is lost."""
    dice, pieces, at = random.Random(seed), [], 0
    while at < len(text):
        size = dice.randint(1, 4)
        pieces.append(text[at : at + size])
        at += size
    so_far, out = TextSoFar(), ""
    while pieces:
        count = dice.randint(1, 5)
        batch, pieces = pieces[:count], pieces[count:]
        out += "".join(batch if so_far.lets_by(batch) else map(so_far.take, batch))
    out += so_far.release()
    if out != text:  # it looked like one that holds all before it, more than once
        assert len(out) < len(text)
        assert so_far._is_cumulative or so_far._count > 1


def test_versions_cut_by_bytes_and_pairs_are_one_text() -> None:
    told = [
        b"Hey",
        b"Hey \xf0\x9f",
        b"Hey \xf0\x9f\x98\x80",
        b"Hey \xf0\x9f\x98\x80 there \xe5\xa2",
    ]
    events = [b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n' % one for one in told]
    for count, shown in ((2, "Hey \ufffd"), (3, "Hey 😀"), (4, "Hey 😀 there \ufffd")):
        for ending in (FINISH + DONE, DONE):
            assert said(read(b"".join(events[:count]) + ending))[0] == shown
    half = delta(content="Hey") + raw_delta("content", "Hey \\ud83d")
    assert said(read(half + FINISH + DONE))[0] == "Hey \ufffd"
