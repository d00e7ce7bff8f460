"""What is read off an exchange: how far apart two clocks are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from core.work.xray.reading import clock_skew_s
from tests.unit.xray.kept import kept

ASKED_AT = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told_after_s", "first_byte_s", "skew_s"),
    [
        (0, 0.1, 0),
        (0, 21.0, 0),  # the reply took long, the clocks agree
        (21, 21.0, 0),
        (7, 21.0, 0),
        (31, 21.0, 10),
        (-10, 21.0, -10),
        (3600, 0.5, 3599.5),
        (5, None, 5),
    ],
)
def test_a_slow_reply_is_no_clock_that_is_wrong(
    told_after_s: float, first_byte_s: float | None, skew_s: float
) -> None:
    told = format_datetime(ASKED_AT + timedelta(seconds=told_after_s), usegmt=True)
    one = replace(
        kept().view(),
        began_at=ASKED_AT,
        response_headers=(("date", told),),
        first_byte_s=first_byte_s,
    )
    assert clock_skew_s(one) == pytest.approx(skew_s)
    assert clock_skew_s(replace(one, response_headers=())) is None
