"""The ring of exchanges: bounded whatever comes, and asked by what an exchange was for."""

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime

from core.providers.http.exchanges import Exchange
from core.work.xray.ring import ExchangeRing

MB = 1024 * 1024
ONE = Exchange(
    began_at=datetime(2026, 11, 28, 9, tzinfo=UTC),
    method="POST",
    url="https://api.deepseek.com/chat/completions",
    request_headers=(("authorization", "•••"), ("content-type", "application/json")),
    request_body='{"stream": true}',
    status_code=200,
    response_headers=(("content-type", "text/event-stream"),),
    response_body="",
    chunks=((0.1, 10),),
    first_byte_s=0.05,
    duration_s=0.2,
    error="",
    is_cut=False,
)


def test_the_newest_come_first_and_numbers_never_twice() -> None:
    ring = ExchangeRing(most=3)
    for number in range(5):
        ring.add(replace(ONE, subject=str(number)))
    assert [(one.number, one.exchange.subject) for one in ring.newest()] == [
        (5, "4"),
        (4, "3"),
        (3, "2"),
    ]
    ring.clear()
    assert (ring.newest(), ring.size_bytes) == ((), 0)
    ring.add(ONE)
    assert ring.newest()[0].number == 6


def test_ten_thousand_long_exchanges_stay_within_the_bound() -> None:
    ring = ExchangeRing(bytes_most=4 * MB)
    tracemalloc.start()
    try:
        for number in range(10_000):
            text = f"{number:09}" * 2_000  # each its own 18 KB
            ring.add(replace(ONE, response_body=text, chunks=tuple((0.1, 9) for _ in range(50))))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert ring.size_bytes <= 4 * MB
    assert held < 5 * MB
    assert len(ring.newest()) > 50


def test_a_single_exchange_that_is_too_large_is_not_kept_and_the_ring_goes_on() -> None:
    ring = ExchangeRing(bytes_most=MB)
    ring.add(replace(ONE, request_body="x" * MB))
    assert ring.newest() == ()
    ring.add(ONE)
    assert len(ring.newest()) == 1


def test_what_was_for_an_answer_or_names_a_task_is_found() -> None:
    ring = ExchangeRing()
    ring.add(replace(ONE, subject="a1"))
    ring.add(replace(ONE, url="https://kling/v1/images/generations/t9"))
    ring.add(replace(ONE, subject="a2"))
    assert [one.number for one in ring.about("a1", "t9")] == [1, 2]
    assert ring.about("", "t") == ()
