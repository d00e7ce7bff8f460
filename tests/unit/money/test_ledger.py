"""The ledger in both databases: reserved in one transaction, settled once, counted exactly."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.models.money.ledger import (
    Budget,
    BudgetError,
    BudgetPlan,
    LedgerLine,
    LineState,
    Mark,
    Reservation,
    Settlement,
)
from core.models.money.periods import period_end, period_start
from core.storage.money.filters import LedgerFilter
from core.storage.store import Store
from tests.conftest import Clock

NOW = Clock().now
ROOT = Path(__file__).parents[3]


def line(number: int | str = 0, amount: str | None = "1", **more: object) -> LedgerLine:
    known = None if amount is None else Decimal(amount)
    made = LedgerLine(
        id=f"line-{number}",
        at=NOW,
        kind="chat",
        state=LineState.RESERVED,
        provider="deepseek",
        model="deepseek-flash",
        owner="local",
        caller="page",
        origin="page",
        currency="CNY",
        amount=known,
        bound=known,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def day(limit: str, **more: object) -> Budget:
    made = Budget("studio", "", "day", Decimal(limit), "CNY")
    return replace(made, **more)  # type: ignore[arg-type]


def held(number: int | str = 0, amount: str | None = "1", **more: object) -> Reservation:
    return Reservation(line(number, amount, **more), is_known=amount is not None)


def cost(amount: str) -> Callable[[LedgerLine], Settlement]:
    return lambda _line: Settlement(LineState.COMPUTED, Decimal(amount))


def spent(store: Store) -> Decimal:
    return store.ledger.budgets()[0].spent


def test_a_line_is_reserved_settled_once_and_counted_exactly(store: Store) -> None:
    store.ledger.plan = BudgetPlan((day("5"),))
    store.ledger.reserve(held(amount="2"))
    assert spent(store) == 2
    assert store.ledger.settle({"line-0": cost("0.000000000003")}) == 1
    assert store.ledger.settle({"line-0": cost("4")}) == 0  # once and only once
    assert spent(store) == Decimal("0.000000000003")
    (kept,) = store.ledger.every(LedgerFilter())
    assert (kept.state, kept.amount, kept.bound) == (
        LineState.COMPUTED,
        Decimal("0.000000000003"),
        Decimal(2),
    )


def test_what_was_refused_or_never_sent_is_taken_back(store: Store) -> None:
    store.ledger.plan = BudgetPlan((day("5"),))
    store.ledger.reserve(held(amount="5"))
    assert store.ledger.settle({"line-0": lambda _line: None}) == 1
    assert (spent(store), list(store.ledger.every(LedgerFilter()))) == (0, [])
    store.ledger.reserve(held(1, "5"))


def test_what_does_not_fit_is_refused_and_leaves_nothing_behind(store: Store) -> None:
    store.ledger.plan = BudgetPlan((day("5"),))
    store.ledger.reserve(held(0, "3"))
    with pytest.raises(BudgetError) as refusal:
        store.ledger.reserve(held(1, "3"))
    assert refusal.value.text_id == "error.budget_studio_rest"
    assert refusal.value.facts["left"] == "¥2.00"
    store.ledger.reserve(held(2, "2"))
    with pytest.raises(BudgetError) as refusal:
        store.ledger.reserve(held(3, "0.01"))
    assert refusal.value.text_id == "error.budget_studio"
    wait_s = refusal.value.wait_s(NOW)
    assert wait_s is not None
    assert 0 < wait_s <= 24 * 3600
    assert {one.id for one in store.ledger.every(LedgerFilter())} == {"line-0", "line-2"}


@pytest.mark.parametrize(
    ("budget", "spender", "refused"),
    [
        (day("1", scope="token", name="web"), {"caller": "token:web"}, True),
        (day("1", scope="token", name="web"), {"caller": "token:other"}, False),
        (day("1", scope="token", name="web"), {"caller": "user:web"}, False),
        (day("1", scope="user", name="a@b.c"), {"owner": "user:a@b.c"}, True),
        (day("1", scope="user", name="a@b.c"), {"owner": "user:x@b.c"}, False),
        (day("1", currency="USD"), {}, True),  # which no limit would hold
        (day("9", currency="USD"), {"currency": "USD"}, False),
        (day("9", currency="USD", scope="token", name="web"), {"caller": "token:web"}, True),
        (day("9", currency="USD", scope="token", name="web"), {"caller": "token:other"}, False),
        (day("0", currency="PRACTICE"), {}, False),
        (day("1", currency="USD"), {"currency": "USD"}, True),
        (day("1", period="month"), {}, True),
        (day("1"), {"currency": "PRACTICE"}, False),
        (day("0"), {}, True),
    ],
)
def test_whom_and_what_a_budget_limits(
    store: Store, budget: Budget, spender: dict[str, object], refused: bool
) -> None:
    store.ledger.plan = BudgetPlan((budget,))
    asked = held(0, "1.5", **spender)
    if refused:
        with pytest.raises(BudgetError):
            store.ledger.reserve(asked)
    else:
        store.ledger.reserve(asked)


def test_what_costs_nothing_needs_no_budget_in_its_currency(store: Store) -> None:
    store.ledger.plan = BudgetPlan((day("1"),))
    store.ledger.reserve(held(0, "0", currency="USD"))
    with pytest.raises(BudgetError) as refusal:
        store.ledger.reserve(held(1, "0.01", currency="USD"))
    assert refusal.value.text_id == "error.budget_currency"
    assert refusal.value.sentence("en").startswith("A budget is set in CNY only")
    store.ledger.plan = BudgetPlan((day("1"), day("1", currency="USD")))
    store.ledger.reserve(held(1, "0.01", currency="USD"))


def test_yesterday_and_last_month_do_not_count(store: Store) -> None:
    zone = store.ledger.plan.zone
    yesterday = period_start("day", NOW, zone) - timedelta(seconds=1)
    last_month = period_start("month", NOW, zone) - timedelta(seconds=1)
    store.ledger.reserve(held(0, "5", at=yesterday))
    store.ledger.reserve(held(1, "9", at=last_month))
    store.ledger.plan = BudgetPlan((day("5"), day("9", period="month")))
    in_this_month = 5 if yesterday >= period_start("month", NOW, zone) else 0
    assert [state.spent for state in store.ledger.budgets()] == [0, in_this_month]
    assert store.ledger.budgets()[0].until == period_end("day", NOW, zone)


def test_an_answer_without_a_limit_is_cut_to_what_is_left(store: Store) -> None:
    store.ledger.plan = BudgetPlan((day("0.02"),))
    per_token = Decimal("0.000008")
    asked = held(0, "0.0665")
    asked.per_token, asked.output_tokens = per_token, 8_192
    store.ledger.reserve(asked)
    fixed = Decimal("0.0665") - per_token * 8_192
    assert asked.granted_tokens == int((Decimal("0.02") - fixed) / per_token)
    assert asked.granted_tokens >= 1_000
    assert Decimal("0.02") - per_token < spent(store) <= Decimal("0.02")
    short = held(1, "0.0665")
    short.per_token, short.output_tokens = per_token, 8_192
    with pytest.raises(BudgetError):
        store.ledger.reserve(short)


def test_a_short_rest_and_an_explicit_length_are_refused(store: Store) -> None:
    store.ledger.plan = BudgetPlan((day("0.008"),))
    cut = held(0, "0.0665")
    cut.per_token, cut.output_tokens = Decimal("0.000008"), 8_192
    for asked in (cut, held(1, "0.0665")):
        with pytest.raises(BudgetError) as refusal:
            store.ledger.reserve(asked)
        assert refusal.value.text_id == "error.budget_studio_rest"


def test_what_has_no_price_is_kept_as_unknown_and_never_as_nothing(store: Store) -> None:
    store.ledger.reserve(held(amount=None))
    (kept,) = store.ledger.every(LedgerFilter())
    assert kept.amount is None
    store.ledger.settle({"line-0": lambda _line: Settlement(LineState.UNKNOWN, None)})
    (kept,) = store.ledger.every(LedgerFilter())
    assert (kept.state, kept.amount) == (LineState.UNKNOWN, None)


def test_where_a_limit_is_set_what_has_no_price_is_not_sent(store: Store) -> None:
    store.ledger.plan = BudgetPlan((day("5", scope="token", name="web"),))
    with pytest.raises(BudgetError) as refusal:
        store.ledger.reserve(held(0, None, caller="token:web"))
    assert refusal.value.text_id == "error.budget_price"
    store.ledger.reserve(held(1, None))  # nobody limits this one
    store.ledger.reserve(held(2, None, caller="token:web", currency="PRACTICE"))


def test_a_budget_that_cannot_be_read_stops_what_costs_money_alone(store: Store) -> None:
    store.ledger.plan = BudgetPlan(is_broken=True)
    with pytest.raises(BudgetError) as refusal:
        store.ledger.reserve(held())
    assert refusal.value.text_id == "error.budget_unreadable"
    store.ledger.reserve(held(1, currency="PRACTICE"))


def test_a_hundred_at_once_do_not_pass_the_limit_by_one(store: Store) -> None:
    store.ledger.plan = BudgetPlan((day("37"), day("500", period="month")))
    start = threading.Barrier(8)

    def ask(numbers: range) -> int:
        start.wait()
        let_in = 0
        for number in numbers:
            try:
                store.ledger.reserve(held(number))
                let_in += 1
            except BudgetError:
                pass
        return let_in

    with ThreadPoolExecutor(8) as threads:
        found = threads.map(ask, [range(first, 104, 8) for first in range(8)])
        assert sum(found) == 37
    assert spent(store) == 37
    first = next(store.ledger.every(LedgerFilter()))
    store.ledger.settle({first.id: lambda _line: None})
    store.ledger.reserve(held(200))
    with pytest.raises(BudgetError):
        store.ledger.reserve(held(201))


def test_settling_and_reserving_at_once_lose_nothing(store: Store) -> None:
    store.ledger.plan = BudgetPlan((day("1000"),))

    def work(first: int) -> None:
        for number in range(first, 60, 6):
            store.ledger.reserve(held(number, "2"))
            store.ledger.settle({f"line-{number}": cost("0.5")})

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    assert spent(store) == 30
    assert sum(one.amount or 0 for one in store.ledger.every(LedgerFilter())) == 30


def test_totals_made_anew_for_another_zone_are_those_of_the_lines(store: Store) -> None:
    store.ledger.open_totals()
    store.ledger.plan = BudgetPlan((day("100"), day("100", period="month")))
    for number in range(5):
        store.ledger.reserve(held(number, "1.5"))
    store.ledger.settle({"line-0": cost("0.25")})
    before = [state.spent for state in store.ledger.budgets()]
    assert before == [Decimal("6.25")] * 2
    store.ledger.plan = replace(store.ledger.plan, zone="Pacific/Auckland")
    store.ledger.open_totals()
    assert [state.spent for state in store.ledger.budgets()][1] == Decimal("6.25")
    store.ledger.open_totals()  # nothing to do
    assert [state.spent for state in store.ledger.budgets()][1] == Decimal("6.25")


def test_the_providers_own_figure_takes_a_computed_ones_place(store: Store) -> None:
    store.ledger.plan = BudgetPlan((day("100"), day("100", currency="USD")))
    store.ledger.reserve(held())
    assert not store.ledger.correct("line-0", Settlement(LineState.PROVIDER, Decimal(3)))
    store.ledger.settle({"line-0": cost("1")})
    figure = Settlement(LineState.PROVIDER, Decimal("0.75"), currency="USD")
    assert store.ledger.correct("line-0", figure)
    assert [state.spent for state in store.ledger.budgets()] == [0, Decimal("0.75")]
    (kept,) = store.ledger.every(LedgerFilter())
    assert (kept.state, kept.currency) == (LineState.PROVIDER, "USD")


def test_lines_are_listed_newest_first_by_page_and_filter(store: Store) -> None:
    for number in range(7):
        at = NOW + timedelta(seconds=number // 2)
        caller = "token:web" if number % 2 else "page"
        store.ledger.reserve(held(number, at=at, caller=caller))
    pages, cursor = [], None
    while True:
        page = store.ledger.list(LedgerFilter(), limit=3, cursor=cursor)
        pages.append([one.id for one in page.items])
        cursor = page.next_cursor
        if cursor is None:
            break
    assert pages == [
        ["line-6", "line-5", "line-4"],
        ["line-3", "line-2", "line-1"],
        ["line-0"],
    ]
    own = store.ledger.every(LedgerFilter(caller="token:web"))
    assert [one.id for one in own] == ["line-5", "line-3", "line-1"]
    later = store.ledger.every(LedgerFilter(start=NOW + timedelta(seconds=2)))
    assert [one.id for one in later] == ["line-6", "line-5", "line-4"]


def test_what_nobody_settled_is_settled_once_its_time_is_over(store: Store) -> None:
    past = NOW - timedelta(minutes=1)
    store.ledger.reserve(held(0, until=past))
    store.ledger.reserve(held(1, until=NOW + timedelta(hours=1)))
    store.ledger.reserve(held(2, message_id="gone", generation_id=None))

    def lost(one: LedgerLine) -> Settlement:
        return Settlement(LineState.ESTIMATED, one.bound, mark=Mark.AT_MOST)

    def settle() -> int:
        return store.ledger.settle_left(
            lambda _id: lost, lambda _id: lost, lost, before=NOW + timedelta(seconds=1)
        )

    assert settle() == 2
    assert settle() == 0
    states = {one.id: one.state for one in store.ledger.every(LedgerFilter())}
    assert states == {
        "line-0": LineState.ESTIMATED,
        "line-1": LineState.RESERVED,
        "line-2": LineState.ESTIMATED,
    }


def test_the_ledger_survives_a_new_start(tmp_path: Path) -> None:
    path = tmp_path / "inkling.sqlite3"
    first = Store.open(path, clock=Clock())
    first.ledger.open_totals()
    first.ledger.reserve(held(0, "2"))
    first.close()
    second = Store.open(path, clock=Clock())
    second.ledger.plan = BudgetPlan((day("3"),))
    second.ledger.open_totals()
    assert spent(second) == 2
    with pytest.raises(BudgetError):
        second.ledger.reserve(held(1, "2"))
    second.close()


_ANOTHER_PROCESS = """
import sys
from decimal import Decimal
from core.models.money.ledger import BudgetError, BudgetPlan
from core.storage.store import Store
from tests.unit.money.test_ledger import Clock, day, held

store = Store.open(sys.argv[1], clock=Clock())
store.ledger.plan = BudgetPlan((day("37"),))
print("ready", flush=True)
sys.stdin.readline()
let_in = 0
for number in range(40):
    try:
        store.ledger.reserve(held(f"{sys.argv[2]}-{number}"))
        let_in += 1
    except BudgetError:
        pass
print(let_in, flush=True)
store.close()
"""


def test_three_processes_share_one_limit(store: Store, store_url: str) -> None:
    command = [sys.executable, "-c", _ANOTHER_PROCESS, store_url]
    others = [
        subprocess.Popen(
            [*command, str(number)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    try:
        for one in others:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in others:  # all at once: nobody waits for the one before to end
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        let_in = [int(one.communicate()[0]) for one in others]
    finally:
        for one in others:
            one.kill()
            one.wait()
    assert sum(let_in) == 37
    store.ledger.plan = BudgetPlan((day("37"),))
    assert spent(store) == 37


def test_a_transaction_that_is_tried_again_cuts_from_what_it_was_cut_to(store: Store) -> None:
    per_token = Decimal("0.000008")
    asked = held(0, "0.0665")
    asked.per_token, asked.output_tokens = per_token, 8_192
    fixed = Decimal("0.0665") - per_token * 8_192
    store.ledger.plan = BudgetPlan((day("0.03"),))
    with suppress(ZeroDivisionError), store.ledger._database.write() as connection:
        assert store.ledger.reserve_in(connection, [asked]) == [None]
        raise ZeroDivisionError
    store.ledger.reserve(held(1, "0.01"))  # somebody was quicker
    store.ledger.reserve(asked)
    assert asked.granted_tokens is not None
    assert asked.bound == fixed + per_token * asked.granted_tokens
    assert spent(store) <= Decimal("0.03")
