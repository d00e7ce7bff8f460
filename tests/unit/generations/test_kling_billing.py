"""core/providers/kling: what a task says that it cost, and the account's two books of rows."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from core.errors import ProtocolError, QuotaExceededError, RateLimitError, UnavailableError
from core.models.accounts import KlingApiKey
from core.models.money.charges import BillingRow, Charge
from core.providers.http.client import build_client
from core.providers.http.pace import Pace
from core.providers.kling.billing import Book, charges_from_json
from core.providers.kling.client import Kling
from core.providers.kling.wire import task_from_json

START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
ROW = {
    "task_id": "T-1",
    "api_key_name": "studio",
    "product_function": "image_generation",
    "model_name": "kling-v3",
    "resolution": "2k",
    "duration": None,
    "deduction_time": "1793500000123",
    "cash_type": "balance",
    "balance_before_deduction": 500.0,
    "deduction_amount": 0.1,
    "balance_after_deduction": 499.9,
    "list_price": 0.2,
    "currency": "cny",
}


def cash(amount: str, code: str | None = None, listed: str | None = None, **more: Any) -> Charge:
    return Charge("cash", Decimal(amount), code, Decimal(listed) if listed else None, **more)


def units(amount: str, **more: Any) -> Charge:
    return Charge("units", Decimal(amount), **more)


# -- what a task tells -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "charges"),
    [
        ({}, ()),
        ({"final_unit_deduction": "8"}, (units("8"),)),
        ({"final_unit_deduction": 4.5}, (units("4.5"),)),
        ({"final_unit_deduction": "0"}, (units("0"),)),
        ({"final_unit_deduction": " 16 "}, (units("16"),)),
        (
            {"final_balance_deduction": {"quota": "0.18", "list_price": "0.20"}},
            (cash("0.18", listed="0.20"),),
        ),
        (
            {"final_balance_deduction": {"quota": 0.1, "list_price": "x", "currency": "USD"}},
            (cash("0.1", "USD"),),
        ),
        (
            {"final_unit_deduction": "0", "final_balance_deduction": {"quota": 1}},
            (units("0"), cash("1")),
        ),
        (
            {
                "billing": [
                    {
                        "charge_type": "cash",
                        "amount": "0.18",
                        "currency": "CNY",
                        "package_type": "image",
                        "list_price": "0.20",
                        "cash_type": "balance",
                    }
                ]
            },
            (cash("0.18", "CNY", "0.20", package="image"),),
        ),
        (
            {"billing": [{"charge_type": "Unit", "amount": 8, "package_type": "image"}]},
            (units("8", package="image"),),
        ),
        # One thing told in both designs is not told twice.
        (
            {"final_unit_deduction": "8", "billing": [{"charge_type": "unit", "amount": "8"}]},
            (units("8"),),
        ),
        # What cannot be read of a sum makes the sum unknown, and the older field stands.
        (
            {
                "final_unit_deduction": "12",
                "billing": [
                    {"charge_type": "unit", "amount": "8"},
                    {"charge_type": "unit", "amount": "four"},
                ],
            },
            (units("12"),),
        ),
        ({"billing": [{"charge_type": "coupon", "amount": "8"}]}, ()),
    ],
)
def test_what_a_task_cost_is_read(fields: dict[str, Any], charges: tuple[Charge, ...]) -> None:
    assert charges_from_json(fields) == charges
    task = task_from_json({"task_id": "T-1", "task_status": "succeed"} | fields, "image")
    assert task is not None
    assert task.charges == charges


NONSENSE: list[Any] = [
    None,
    "",
    " ",
    True,
    False,
    "eight",
    "8 units",
    "1,000",
    "NaN",
    "Infinity",
    float("nan"),
    float("inf"),
    "-8",
    -0.5,
    "８",
    "8e99",
    10**60,
    "9" * 30,
    [],
    {"amount": 8},
]


@pytest.mark.parametrize("value", NONSENSE, ids=repr)
def test_nonsense_is_not_told_and_never_nothing(value: object) -> None:
    for fields in (
        {"final_unit_deduction": value},
        {"final_balance_deduction": value},
        {"final_balance_deduction": {"quota": value, "list_price": "1"}},
        {"billing": value},
        {"billing": [value]},
        {"billing": [{"charge_type": value, "amount": "1"}]},
        {"billing": [{"charge_type": "cash", "amount": value}]},
    ):
        assert charges_from_json(fields) == ()


@pytest.mark.parametrize("value", [*NONSENSE, "C", "人民币", "C NY"], ids=repr)
def test_a_currency_that_is_none_leaves_the_amount(value: object) -> None:
    entry = {"charge_type": "cash", "amount": "1", "currency": value, "list_price": value}
    (charge,) = charges_from_json({"billing": [entry]})
    assert charge.amount == 1
    if value != "NaN":  # three letters: it could be the code of a currency
        assert charge.currency is None


# -- the books -------------------------------------------------------------------------------------


def page(*rows: object, **result: object) -> dict[str, object]:
    return {"result": {"detail": list(rows), "count": len(rows), **result}}


class Books:
    """Answers with pages in turn, and remembers what was asked."""

    def __init__(self, *pages: object, **envelope: object) -> None:
        self.pages = list(pages)
        self.envelope = {"code": 0, "message": "SUCCEED", "request_id": "r"} | envelope
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.waits: list[float] = []
        self.now = 100.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method + " " + request.url.path, json.loads(request.content)))
        return httpx.Response(200, json=self.envelope | {"data": self.pages.pop(0)})

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def read(self, book: Book = "balance", **options: Any) -> list[BillingRow]:
        async def run() -> list[BillingRow]:
            client = build_client(timeout=httpx.Timeout(5), transport=httpx.MockTransport(self))
            kling = Kling(
                origin="https://api-beijing.klingai.com",
                credentials=KlingApiKey("plain-key-0123456789"),
                client=client,
                billing_pace=Pace(1.0, clock=lambda: self.now, sleep=self.sleep),
            )
            try:
                return [
                    row
                    async for row in kling.account.billing_rows(
                        book, start=START, end=END, **options
                    )
                ]
            finally:
                await kling.aclose()

        return asyncio.run(run())


def test_a_cash_row_is_read_whole() -> None:
    books = Books(page(ROW, has_more=False, next_cursor=""))
    assert books.read() == [
        BillingRow(
            kind="cash",
            task_id="T-1",
            amount=Decimal("0.1"),
            at=datetime.fromtimestamp(1793500000.123, UTC),
            currency="CNY",
            list_price=Decimal("0.2"),
            balance_before=Decimal("500.0"),
            balance_after=Decimal("499.9"),
            api_key_name="studio",
            product_function="image_generation",
            model_name="kling-v3",
            resolution="2k",
            cash_type="balance",
        )
    ]
    assert books.asked == [
        (
            "POST /account/billing/balance",
            {"start_time": 1793491200000, "end_time": 1793577600000, "limit": 500},
        )
    ]


def test_a_package_row_has_units_and_no_currency() -> None:
    row = {"task_id": 17, "deduction_amount": "8", "package_type": "image", "currency": "CNY"}
    books = Books(page(row))
    assert books.read("package") == [
        BillingRow(kind="units", task_id="17", amount=Decimal(8), package="image")
    ]
    assert books.asked[0][0] == "POST /account/billing/package"


@pytest.mark.parametrize("row", [{}, None, "row", {"task_id": [], "deduction_amount": "much"}])
def test_a_row_that_cannot_be_read_keeps_its_place(row: object) -> None:
    (read,) = Books(page(row)).read()
    assert (read.task_id, read.amount) == ("", None)


def test_pages_are_followed_by_cursor_and_at_most_one_a_second() -> None:
    rows = [ROW | {"task_id": f"T-{number}"} for number in range(5)]
    books = Books(
        page(*rows[:2], has_more=True, next_cursor="c1"),
        page(*rows[2:4], has_more="true", next_cursor="c2"),
        page(rows[4], has_more=False, next_cursor="c3"),
    )
    assert [row.task_id for row in books.read(limit=2)] == [f"T-{number}" for number in range(5)]
    bodies = [body for _, body in books.asked]
    assert bodies[1:] == [{"limit": 2, "cursor": "c1"}, {"limit": 2, "cursor": "c2"}]
    assert books.waits == [1.0, 1.0]


@pytest.mark.parametrize(("limit", "sent"), [(0, 1), (1, 1), (500, 500), (900, 500)])
def test_a_page_is_never_larger_than_allowed(limit: int, sent: int) -> None:
    books = Books(page())
    assert books.read(limit=limit) == []
    assert books.asked[0][1]["limit"] == sent


@pytest.mark.parametrize(
    "pages",
    [
        ({},),
        ([],),
        ({"result": {}},),
        ({"result": {"detail": {}}},),
        (page(has_more=True),),
        (page(ROW, has_more=True, next_cursor="c"), page(ROW, has_more=True, next_cursor="c")),
    ],
    ids=lambda pages: json.dumps(pages)[:40],
)
def test_a_book_that_is_not_whole_is_an_error(pages: tuple[object, ...]) -> None:
    with pytest.raises(ProtocolError):
        Books(*pages).read()


@pytest.mark.parametrize(
    ("books", "kind"),
    [
        (lambda: Books({"code": 1101, "msg": "arrears"}), QuotaExceededError),
        (lambda: Books(None, code=1302), RateLimitError),
        (lambda: Books(None, code=5001), UnavailableError),
    ],
)
def test_a_refusal_has_its_kind(books: Callable[[], Books], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        books().read()


def test_callers_that_come_together_queue_for_their_turns() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def run() -> None:
        pace = Pace(1.0, clock=lambda: 5.0, sleep=sleep)
        await asyncio.gather(*(pace.turn() for _ in range(4)))

    asyncio.run(run())
    assert waits == [1.0, 2.0, 3.0]
