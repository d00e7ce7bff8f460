"""Wrong access tokens: who tries many different ones has to wait, a stale client has not."""

from core.web.guard.guess_limit import (
    MOST_ADDRESSES,
    MOST_GUESSES,
    MOST_WAIT_S,
    PAUSE_S,
    WINDOW_S,
    Guesses,
)

FROM = "203.0.113.9"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_who_tries_many_waits_for_a_turn_until_the_first_is_a_minute_old() -> None:
    clock = Clock()
    guesses = Guesses(clock=clock)
    for number in range(MOST_GUESSES):
        assert not guesses.are_many(FROM, ["next"])
        guesses.note(FROM, [f"guess-{number}"])
        clock.now += 1
    assert guesses.are_many(FROM, ["next"])
    assert not guesses.are_many("203.0.113.10", ["next"])
    assert not guesses.are_many(None, ["next"])
    clock.now += WINDOW_S - MOST_GUESSES
    assert not guesses.are_many(FROM, ["next"])


def test_turns_come_one_after_another_and_not_without_end() -> None:
    clock = Clock()
    guesses = Guesses(clock=clock)
    turns = [guesses.turn_in_s(FROM) for _ in range(int(MOST_WAIT_S / PAUSE_S) + 1)]
    assert turns[:3] == [PAUSE_S, 2 * PAUSE_S, 3 * PAUSE_S]
    assert turns[-2:] == [MOST_WAIT_S, None]
    assert guesses.turn_in_s("203.0.113.10") == PAUSE_S
    clock.now += MOST_WAIT_S
    assert guesses.turn_in_s(FROM) == PAUSE_S


def test_one_stale_token_is_no_guessing() -> None:
    guesses = Guesses(clock=Clock())
    for _ in range(MOST_GUESSES * 3):
        guesses.note(FROM, ["the token of last year"])
    assert not guesses.are_many(FROM, ["another"])


def test_a_token_that_was_right_there_is_not_held_up_by_strangers() -> None:
    guesses = Guesses(clock=Clock())
    guesses.prove(FROM, ["the right one"])
    guesses.note(FROM, [f"guess-{number}" for number in range(MOST_GUESSES)])
    assert guesses.are_many(FROM, ["another"])
    assert not guesses.are_many(FROM, ["the right one"])


def test_what_is_remembered_is_bounded() -> None:
    guesses = Guesses(clock=Clock())
    for number in range(MOST_ADDRESSES + 50):
        guesses.note(f"address-{number}", ["x"])
    guesses.note(FROM, [str(number) for number in range(5_000)])
    assert len(guesses._wrong) == MOST_ADDRESSES
    assert len(guesses._wrong[FROM]) == MOST_GUESSES
