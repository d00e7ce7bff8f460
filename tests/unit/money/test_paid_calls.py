"""Calls without a row: each end has its line, and what was bought is not lost to the store."""

import asyncio
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import AppError, ProtocolError, RejectedError, StoreError, UnavailableError
from core.models.money.ledger import LedgerLine, LineState, Mark, Reservation, Settlement
from core.storage.money.filters import LedgerFilter
from core.storage.store import Store
from core.work.money.paid_calls import paid_call
from tests.unit.money.test_ledger import held

COST = Settlement(LineState.COMPUTED, Decimal("0.25"))
REFUSED = RejectedError("error.speech_rejected", provider="speech", status_code=400)
LOST = UnavailableError("error.network_timeout", provider="speech")
UNSENT = UnavailableError("error.network_connect", provider="speech")
ODD = ProtocolError("error.speech_no_sound", provider="speech", status_code=200)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "a.sqlite3")


async def called(
    store: Store, error: BaseException | None, *, has_begun: bool, amount: str | None = "1"
) -> str:
    async with paid_call(store.ledger, held(amount=amount)) as call:
        call.has_begun = has_begun
        if error is not None:
            raise error
        call.settle = lambda _line: COST
        return "what was bought"
    raise AssertionError


def lines(store: Store) -> list[LedgerLine]:
    return list(store.ledger.every(LedgerFilter()))


def test_what_came_whole_costs_what_it_cost(store: Store) -> None:
    assert asyncio.run(called(store, None, has_begun=True)) == "what was bought"
    assert [(one.state, one.amount) for one in lines(store)] == [(COST.state, COST.amount)]


@pytest.mark.parametrize("error", [REFUSED, LOST, UNSENT, ODD])
@pytest.mark.parametrize("has_begun", [True, False])
@pytest.mark.parametrize("amount", ["1", None])
def test_what_broke_off_stands_there_and_what_was_refused_does_not(
    store: Store, error: AppError, has_begun: bool, amount: str | None
) -> None:
    with pytest.raises(type(error)):
        asyncio.run(called(store, error, has_begun=has_begun, amount=amount))
    if not has_begun and error in (REFUSED, UNSENT):
        assert lines(store) == []
        return
    (line,) = lines(store)
    known = (LineState.ESTIMATED, Decimal(1), Mark.AT_MOST)
    assert (line.state, line.amount, line.mark) == (
        known if amount else (LineState.UNKNOWN, None, Mark.EXACT)
    )


def test_who_leaves_may_have_paid(store: Store) -> None:
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(called(store, asyncio.CancelledError(), has_begun=False))
    assert [one.mark for one in lines(store)] == [Mark.AT_MOST]


def break_settling(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def settle(_settling: object) -> int:
        raise StoreError("error.archive_write")

    monkeypatch.setattr(store.ledger, "settle", settle)


def test_a_store_that_fails_at_the_end_takes_nothing_away(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_settling(store, monkeypatch)
    assert asyncio.run(called(store, None, has_begun=True)) == "what was bought"
    # Held back as before: it is settled with what nobody else settled.
    assert [one.state for one in lines(store)] == [LineState.RESERVED]


@pytest.mark.parametrize("error", [REFUSED, LOST])
def test_a_store_that_fails_at_the_end_hides_no_error(
    store: Store, monkeypatch: pytest.MonkeyPatch, error: AppError
) -> None:
    break_settling(store, monkeypatch)
    with pytest.raises(type(error)):
        asyncio.run(called(store, error, has_begun=False))


def test_a_store_that_fails_before_sends_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reserve(_held: object) -> None:
        raise StoreError("error.archive_write")

    monkeypatch.setattr(store.ledger, "reserve", reserve)
    with pytest.raises(StoreError):
        asyncio.run(called(store, AssertionError("it was sent"), has_begun=False))


def test_who_leaves_before_it_is_sent_pays_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve, is_reserving, may_go_on = store.ledger.reserve, asyncio.Event(), threading.Event()

    async def enter() -> None:
        async with paid_call(store.ledger, held()):
            raise AssertionError("it was sent")

    async def leave() -> None:
        loop = asyncio.get_running_loop()

        def slowly(reservation: Reservation) -> None:
            loop.call_soon_threadsafe(is_reserving.set)
            may_go_on.wait()
            reserve(reservation)

        monkeypatch.setattr(store.ledger, "reserve", slowly)
        entering = asyncio.create_task(enter())
        await is_reserving.wait()
        entering.cancel()
        may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await entering

    asyncio.run(leave())
    assert lines(store) == []
