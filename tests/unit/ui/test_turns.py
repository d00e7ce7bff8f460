"""How much of a long conversation is drawn at first."""

import pytest

from core.ui.chat.turns import FEWEST_TURNS, MOST_CHARACTERS, MOST_TURNS, STEP, first_drawn


@pytest.mark.parametrize("size", [10, 5_000, 22_000, 400_000])
def test_few_turns_are_drawn_and_the_first_moves_on_in_steps(size: int) -> None:
    for count in range(1, 60):
        first = first_drawn([size] * count)
        drawn = count - first
        assert first % STEP == 0
        assert drawn >= min(count, FEWEST_TURNS)
        assert drawn <= MOST_TURNS
        assert drawn < FEWEST_TURNS + STEP or drawn * size <= MOST_CHARACTERS


def test_a_short_conversation_is_drawn_whole() -> None:
    assert first_drawn([]) == 0
    assert first_drawn([100] * MOST_TURNS) == 0
