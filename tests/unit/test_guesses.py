"""Wrong access tokens: who tries many different ones has to wait, a stale client has not."""

from core.web.guesses import MOST_ADDRESSES, MOST_GUESSES, WINDOW_S, Guesses

FROM = "203.0.113.9"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_who_tries_many_waits_until_the_first_is_a_minute_old() -> None:
    clock = Clock()
    guesses = Guesses(clock=clock)
    for number in range(MOST_GUESSES):
        assert guesses.wait_s(FROM, ["next"]) is None
        guesses.note(FROM, [f"guess-{number}"])
        clock.now += 1
    assert guesses.wait_s(FROM, ["next"]) == WINDOW_S - MOST_GUESSES
    assert guesses.wait_s("203.0.113.10", ["next"]) is None
    assert guesses.wait_s(None, ["next"]) is None
    clock.now += WINDOW_S - MOST_GUESSES
    assert guesses.wait_s(FROM, ["next"]) is None


def test_one_stale_token_is_no_guessing() -> None:
    guesses = Guesses(clock=Clock())
    for _ in range(MOST_GUESSES * 3):
        guesses.note(FROM, ["the token of last year"])
    assert guesses.wait_s(FROM, ["another"]) is None


def test_a_token_that_was_right_there_is_not_kept_out_by_strangers() -> None:
    guesses = Guesses(clock=Clock())
    guesses.prove(FROM, ["the right one"])
    guesses.note(FROM, [f"guess-{number}" for number in range(MOST_GUESSES)])
    assert guesses.wait_s(FROM, ["another"]) is not None
    assert guesses.wait_s(FROM, ["the right one"]) is None


def test_what_is_remembered_is_bounded() -> None:
    guesses = Guesses(clock=Clock())
    for number in range(MOST_ADDRESSES + 50):
        guesses.note(f"address-{number}", ["x"])
    guesses.note(FROM, [str(number) for number in range(5_000)])
    assert len(guesses._wrong) == MOST_ADDRESSES
    assert len(guesses._wrong[FROM]) == MOST_GUESSES
