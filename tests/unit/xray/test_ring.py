"""The ring of exchanges: bounded whatever comes, and asked by what an exchange was for."""

import tracemalloc

import httpx

from core.work.xray.ring import ExchangeRing
from tests.unit.xray.kept import kept

MB = 1024 * 1024


def test_the_newest_come_first_and_numbers_never_twice() -> None:
    ring = ExchangeRing(most=3)
    for number in range(5):
        ring.add(kept(subject=str(number)))
    assert [(one.number, one.exchange.subject) for one in ring.newest()] == [
        (5, "4"),
        (4, "3"),
        (3, "2"),
    ]
    ring.clear()
    assert (ring.newest(), ring.size_bytes) == ((), 0)
    ring.add(kept())
    assert ring.newest()[0].number == 6


def test_ten_thousand_long_exchanges_stay_within_the_bound() -> None:
    ring = ExchangeRing(bytes_most=4 * MB)
    tracemalloc.start()
    try:
        for number in range(10_000):
            ring.add(kept(chunks=[(0.1, b"%09d" % number * 40) for _ in range(50)]))
        for one in ring.newest():
            one.head.url.upper()  # what a list shows stays with them
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert ring.size_bytes <= 4 * MB
    assert held < 5 * MB
    assert len(ring.newest()) > 50


def test_a_single_exchange_that_is_too_large_is_not_kept_and_the_ring_goes_on() -> None:
    ring = ExchangeRing(bytes_most=MB)
    ring.add(kept(request_body=b"x" * MB))
    assert ring.newest() == ()
    ring.add(kept())
    assert len(ring.newest()) == 1


def test_what_was_for_an_answer_or_names_a_task_is_found() -> None:
    ring = ExchangeRing()
    ring.add(kept(subject="a1"))
    ring.add(kept(url=httpx.URL("https://kling/v1/images/generations/t9")))
    ring.add(kept(subject="a2"))
    assert [one.number for one in ring.about("a1", "t9")] == [1, 2]
    assert ring.about("", "t") == ()
