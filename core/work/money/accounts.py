"""The accounts with the providers: what is left there, and what they have billed. All free."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.access.owners import LOCAL_OWNER
from core.errors import AppError
from core.models.money.charges import BillingRow
from core.models.money.ledger import Spender
from core.providers.deepseek.wire import Balance
from core.providers.kling.billing import Book
from core.providers.kling.wire import AccountCosts
from core.storage.store import Store
from core.work.loop import LoopThread
from core.work.money.reconcile import (
    BalanceDrop,
    Difference,
    Reconciliation,
    adopt,
    balance_drop,
    reconcile,
)
from core.work.money.upkeep import Currencies
from core.work.services import Services

TIMEOUT_S = 60.0
BOOKS: tuple[Book, ...] = ("package", "balance")
_BALANCE_KEY = "money.deepseek_balance"


class Accounts:
    """Asks the providers about the accounts, and compares what they say with the ledger."""

    def __init__(
        self, loop: LoopThread, store: Store, services: Services, currencies: Currencies
    ) -> None:
        self._loop = loop
        self._store = store
        self._services = services
        self._currencies = currencies

    def chat_account(self) -> Balance:
        """Ask the chat provider what is left; free. NotFoundError where it does not tell."""
        asking = self._services.chat(LOCAL_OWNER).client.balance()
        return self._loop.call(asking, timeout_s=TIMEOUT_S)

    def check_chat_key(self) -> None:
        """Ask the chat provider for its models: raises what a refused key raises; free."""
        asking = self._services.chat(LOCAL_OWNER).client.list_models()
        self._loop.call(asking, timeout_s=TIMEOUT_S)

    def image_account(self) -> AccountCosts:
        """Ask Kling for the account's packages of the last month; free."""
        now = datetime.now(UTC)
        kling = self._services.images(LOCAL_OWNER).kling
        asking = kling.account.costs(start=now - timedelta(days=30), end=now)
        return self._loop.call(asking, timeout_s=TIMEOUT_S)

    def reconcile(self) -> Reconciliation:
        """Compare the ledger with Kling's two books of the last month; free."""
        now = datetime.now(UTC)
        start = now - timedelta(days=30)
        service = self._services.images(LOCAL_OWNER)

        async def rows() -> list[BillingRow]:
            found: list[BillingRow] = []
            for book in BOOKS:
                asking = service.kling.account.billing_rows(book, start=start, end=now)
                found += [row async for row in asking]
            return found

        billed = self._loop.call(rows(), timeout_s=TIMEOUT_S)
        return reconcile(
            self._store.ledger, billed, provider=service.provider, start=start, now=now
        )

    def adopt_billed(self, one: Difference) -> bool:
        """Take a task into the ledger that Kling bills and nobody here knew."""
        service = self._services.images(LOCAL_OWNER)
        spender = Spender(LOCAL_OWNER, "page", "recovered")
        return adopt(self._store.ledger, one, spender, service.provider, datetime.now(UTC))

    def balance_drop(self, balance: Balance) -> BalanceDrop | None:
        """Note DeepSeek's balance; return how it fell since the last note, beside the ledger."""
        known = self._store.key_values.get(_BALANCE_KEY)
        if not balance.currencies:
            return None
        one, now = balance.currencies[0], datetime.now(UTC)
        note = {"at": now.isoformat(), "total": str(one.total), "currency": one.currency}
        self._store.key_values.set(_BALANCE_KEY, note)
        provider = self._services.chat(LOCAL_OWNER).provider
        if not isinstance(known, dict) or provider == "practice":
            return None
        total = Decimal(str(one.total))
        return balance_drop(self._store.ledger, known, total, one.currency, provider)

    def learn_currency(self) -> None:
        """Ask DeepSeek once in which currency the account is; free. Others do not tell."""
        try:
            service = self._services.chat(LOCAL_OWNER)
        except AppError:
            return
        if service.provider != "deepseek":
            return

        async def ask() -> str | None:
            told = (await service.client.balance()).currencies
            return told[0].currency if told else None

        self._loop.spawn(self._currencies.ask(service.provider, ask), name="currency")
