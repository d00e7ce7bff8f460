"""Keeps the ledger true: settles what nobody settled, and learns in which currency an account is.

What ends with its row is settled with it. Here comes only what fell between: a process that died,
a version without a ledger beside this one, a call without a row of its own.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from core.errors import AppError
from core.models.money.amounts import CNY
from core.models.money.ledger import LedgerLine, Settlement
from core.models.money.settling import settle_answer, settle_lost
from core.storage.money.book import Settle
from core.storage.store import Store
from core.work.money.spending import Spending
from core.work.money.task_costs import row_ended

logger = logging.getLogger(__name__)

EVERY_S = 60.0
# What began just now is being written down by whoever began it.
OLD_ENOUGH = timedelta(seconds=30)
CURRENCY_KEY = "money.currency."


class LedgerUpkeep:
    """Settles what is left over, now and then.

    `refresh` reads what other processes may have set: the page's budgets.
    """

    def __init__(
        self,
        store: Store,
        spending: Spending,
        *,
        refresh: Callable[[], object] = lambda: None,
        old_enough: timedelta = OLD_ENOUGH,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._spending = spending
        self._refresh = refresh
        self._old_enough = old_enough
        self._clock = clock

    async def run(self) -> None:
        """Look after the ledger until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self._refresh)
                await asyncio.to_thread(self.settle_left)
            except AppError as error:
                logger.warning("What is left in the ledger waits: %s", error)
            await asyncio.sleep(EVERY_S)

    def settle_left(self) -> int:
        """Settle every reserved line whose call has ended; return how many there were."""
        return self._store.ledger.settle_left(
            self._of_message,
            self._of_task,
            settle_lost,
            before=self._clock() - self._old_enough,
        )

    def _of_message(self, message_id: str) -> Settle:
        prices, now = self._spending.prices, self._clock()

        def settle(line: LedgerLine) -> Settlement | None:
            message = self._store.messages.get(line.owner, message_id)
            if message is None:
                return settle_lost(line)
            end = now
            if message.duration_s is not None:
                end = line.at + timedelta(seconds=message.duration_s)
            ahead = self._spending.ahead(line.provider)
            return settle_answer(line, message, prices, end=end, ahead=ahead)

        return settle

    def _of_task(self, generation_id: str) -> Settle:
        def settle(line: LedgerLine) -> Settlement | None:
            generation = self._store.generations.get(line.owner, generation_id)
            return settle_lost(line) if generation is None else row_ended(generation)(line)

        return settle


class Currencies:
    """In which currency each provider bills: as its balance said last, else in yuan."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, str] = {}

    def load(self) -> None:
        """Read what was learned before."""
        known = self._store.key_values.starting_with(CURRENCY_KEY)
        self._known = {
            key.removeprefix(CURRENCY_KEY): value
            for key, value in known.items()
            if isinstance(value, str)
        }

    def of(self, provider: str) -> str:
        """Return a provider's currency."""
        return self._known.get(provider, CNY)

    def learn(self, provider: str, currency: str) -> None:
        """Keep in which currency an account is."""
        if self._known.get(provider) != currency:
            self._known = self._known | {provider: currency}
            self._store.key_values.set(f"{CURRENCY_KEY}{provider}", currency)

    async def ask(self, provider: str, asking: Callable[[], Awaitable[str | None]]) -> None:
        """Learn a currency from the provider itself; what it does not tell changes nothing."""
        try:
            currency = await asking()
            if currency is not None:
                await asyncio.to_thread(self.learn, provider, currency)
        except AppError as error:
            logger.info("The currency of %s is not told: %s", provider, error.text_id)
