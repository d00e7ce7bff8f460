"""Calls without a row of their own that can cost: held back for before, settled at their end."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from core.errors import AppError, StoreError, may_be_billed
from core.models.money.ledger import Reservation
from core.models.money.settling import settle_lost
from core.storage.money.book import Settle
from core.storage.money.ledger import Ledger
from core.work.money.spending import never_sent

logger = logging.getLogger(__name__)


class PaidCall:
    """A call under way. Until `settle` says what it cost, it cost at most what was held back."""

    def __init__(self, held: Reservation) -> None:
        self.line = held.line
        self.settle: Settle = settle_lost
        self.has_begun = False  # something of what is paid for has come: it cannot be refused now


@asynccontextmanager
async def paid_call(ledger: Ledger, held: Reservation) -> AsyncGenerator[PaidCall]:
    """Reserve and settle around a call; BudgetError, and nothing sent, where no budget has room.

    A call that was turned away before anything came of it cost nothing; one that broke off later,
    or was left by whoever waited, may have been paid for.
    """
    await written_before(
        lambda: ledger.reserve(held), lambda: ledger.settle({held.line.id: never_sent})
    )
    call = PaidCall(held)
    try:
        yield call
    except AppError as error:
        is_paid = call.has_begun or may_be_billed(error)
        call.settle = settle_lost if is_paid else never_sent
        raise
    finally:
        await written_down(lambda: ledger.settle({call.line.id: call.settle}))


async def written_down(step: Callable[[], object]) -> None:
    """Write down what is known now; what was paid for must not be lost to the store.

    What could not be written is settled by `upkeep`, or when the task is looked at again.
    """
    try:
        await asyncio.shield(asyncio.to_thread(step))
    except StoreError as error:
        logger.warning("A call that was paid for is not in the ledger yet: %s", error)


async def written_before(write: Callable[[], object], take_back: Callable[[], object]) -> None:
    """Write down what is about to be asked. Given up meanwhile, it is taken back: nothing was sent.

    A thread cannot be stopped: without this, what it writes behind who left would stay for ever.
    """
    writing = asyncio.ensure_future(asyncio.to_thread(write))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.shield(_taken_back(writing, take_back))
        raise


async def _taken_back(writing: asyncio.Future[object], take_back: Callable[[], object]) -> None:
    await asyncio.wait({writing})
    if not writing.cancelled() and writing.exception() is None:
        await written_down(take_back)
