"""Killed while the official client draws: under its key each picture is bought once, and comes.

Longer: `python -m tests.crash.drawing_runs 40`.
"""

from tests.crash.drawing_runs import draw_under_kills


def test_killed_by_chance_a_key_buys_one_picture_and_delivers_it() -> None:
    drawn = draw_under_kills(2, seed=3)
    assert drawn.problems == []
    assert drawn.kills >= 2
    assert drawn.asked.total() > len(drawn.asked)
