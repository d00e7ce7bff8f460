"""core/wire/surrogates: halves of characters that come in different pieces."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.wire.surrogates import PairJoiner, without_halves


def halves(text: str) -> list[str]:
    """Return a text's UTF-16 units, each as a piece."""
    raw = text.encode("utf-16-be", "surrogatepass")
    return [chr(int.from_bytes(raw[at : at + 2], "big")) for at in range(0, len(raw), 2)]


def joined(pieces: list[str]) -> str:
    joiner = PairJoiner()
    return "".join([*map(joiner.take, pieces), joiner.end()])


@settings(max_examples=300, deadline=None)
@given(st.text(), st.data())
def test_a_text_cut_anywhere_is_the_text(text: str, data: st.DataObject) -> None:
    units, pieces = halves(text), []
    while units:
        size = data.draw(st.integers(1, 4))
        pieces.append("".join(units[:size]))
        units = units[size:]
    assert joined(pieces) == text


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["Hi \ud83d", "\ude00 there"], "Hi 😀 there"),
        (["\ud83d", "x"], "\ufffdx"),
        (["\ude00"], "\ufffd"),
        (["x\ud83d"], "x\ufffd"),
        (["\ud83d\ud83d", "\ude00"], "\ufffd😀"),
        (["\ud83d", "", "\ude00"], "😀"),
        (["a\ud83db"], "a\ufffdb"),
    ],
)
def test_a_half_that_nothing_completes_is_one_sign(pieces: list[str], text: str) -> None:
    assert joined(pieces) == text


def test_a_text_without_halves_is_left_alone() -> None:
    text = "墨灵 😀"
    assert without_halves(text) is text
