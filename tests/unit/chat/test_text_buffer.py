"""Text that grows by pieces, and is read from any place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.work.chat.buffers.text_buffer import DISTINCT_PIECES, TextBuffer


@given(st.lists(st.text(min_size=1, max_size=5), max_size=30), st.integers(0, 200))
def test_what_follows_a_place_is_what_follows_it(pieces: list[str], place: int) -> None:
    text = TextBuffer("before")
    for piece in pieces:
        text.extend([piece])
    whole = "before" + "".join(pieces)
    assert text.whole() == whole
    assert text.length == len(whole)
    assert "".join(text.since(place)) == whole[place:]


def test_a_reader_who_keeps_up_gets_each_piece_as_it_came() -> None:
    text, place = TextBuffer(), 0
    for number in range(5 * DISTINCT_PIECES):
        piece = f"{number} "
        text.extend([piece])
        assert text.since(place) == [piece]
        place = text.length


def test_a_reader_some_pieces_behind_still_gets_each() -> None:
    text = TextBuffer()
    for number in range(10 * DISTINCT_PIECES):
        text.extend([f"{number} "])
    place = text.length - sum(
        len(f"{number} ") for number in range(9 * DISTINCT_PIECES, 10 * DISTINCT_PIECES)
    )
    assert len(text.since(place)) == DISTINCT_PIECES


@pytest.mark.parametrize("place", [0, 1, 5, 3000, 20_000])
def test_older_pieces_come_as_one(place: int) -> None:
    text = TextBuffer()
    pieces = [f"{number}," for number in range(6000)]
    for piece in pieces:
        text.extend([piece])
    assert "".join(text.since(place)) == "".join(pieces)[place:]
    assert len(text.since(place)) <= 2 * DISTINCT_PIECES


@pytest.mark.parametrize(
    "piece", ["plain ", "词 and 1763779200 ", "纯中文", "🎨 mixed ", "\ud83c?"]
)
def test_older_pieces_are_kept_small_and_whole(piece: str) -> None:
    text = TextBuffer(piece * 3)
    for _ in range(5 * DISTINCT_PIECES):
        text.extend([piece])
    whole = piece * (3 + 5 * DISTINCT_PIECES)
    assert text.whole() == whole
    for place in (0, 1, len(piece) * 130 + 1):
        assert "".join(text.since(place)) == whole[place:]
