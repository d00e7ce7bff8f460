"""The practice DeepSeek's book: what each answer was charged, and the balance that falls by it.

An answer is charged at its end, by the hour class of that moment and for what was generated until
then, so a stopped stream too. What was refused is in no line.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.models.money.amounts import CNY, exact, plain
from core.models.money.hours import HourClass, hour_class
from core.models.money.prices import PRICES
from core.practice.chat.reply import Reply
from core.practice.chat.stream import Step
from core.practice.chat.tokens import estimate_tokens
from core.practice.clock import PracticeClock
from core.practice.settings import PracticeSettings

_MOST_LINES = 100_000
_DROPPED_AT_ONCE = 10_000
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class ChatCharge:
    """A line of the book. `cost` is None where no price is known: before the first one."""

    request_id: str
    model: str
    hit: int
    miss: int
    completion: int
    hour: HourClass
    cost: Decimal | None
    at: datetime
    was_stopped: bool = False  # its end was not reached

    def as_json(self) -> dict[str, object]:
        """Return the line with JSON's own types."""
        return {
            "request_id": self.request_id,
            "model": self.model,
            "hit": self.hit,
            "miss": self.miss,
            "completion": self.completion,
            "hour": self.hour,
            "cost": None if self.cost is None else plain(self.cost),
            "currency": CNY,
            "at": self.at.isoformat(),
            "was_stopped": self.was_stopped,
        }


class ChatBook:
    """All charges of one practice server; written on its loop only, read from any thread."""

    def __init__(self, settings: PracticeSettings, clock: PracticeClock) -> None:
        self._settings = settings
        self._clock = clock
        self._lines: list[ChatCharge] = []
        self._spent = _NOTHING

    def lines(self) -> tuple[ChatCharge, ...]:
        """Return the book, oldest first; of very many lines the newest."""
        return tuple(self._lines[:])

    def charge(self, reply: Reply, completion: int, *, was_stopped: bool) -> None:
        """Write down what an answer costs that ends now."""
        at = self._clock.moment()
        hit, miss = reply.tokens.hit, reply.tokens.miss
        hour = hour_class(at)
        price = PRICES.chat(reply.model, CNY, at)
        cost = None
        if price is not None:
            cost = exact(price.rates(hour).cost(hit=hit, miss=miss, completion=completion))
        line = ChatCharge(
            reply.id,
            reply.model,
            hit=hit,
            miss=miss,
            completion=completion,
            hour=hour,
            cost=cost,
            at=at,
            was_stopped=was_stopped,
        )
        self._lines.append(line)
        self._spent += cost or 0
        if len(self._lines) > _MOST_LINES:
            del self._lines[:_DROPPED_AT_ONCE]

    def charge_other(self, cost: Decimal) -> None:
        """Take from the purse what is no answer: a search, a page."""
        self._spent += cost

    def balance(self) -> dict[str, object]:
        """Return what `/user/balance` answers; granted credit is spent first."""
        granted, topped_up = self._settings.granted_cny, self._settings.topped_up_cny
        spent = self._spent
        total = granted + topped_up - spent
        info = {
            "currency": CNY,
            "total_balance": _told(total),
            "granted_balance": _told(max(granted - spent, _NOTHING)),
            "topped_up_balance": _told(topped_up - max(spent - granted, _NOTHING)),
        }
        return {"is_available": total > 0, "balance_infos": [info]}


class Bill:
    """What one answer has come to so far; charged once."""

    def __init__(self, book: ChatBook, reply: Reply) -> None:
        self._book = book
        self._reply = reply
        self._thought: list[str] = []
        self._said: list[str] = []
        self._is_whole = False
        self._is_settled = False

    def add(self, step: Step) -> None:
        """Count what a step brings; it was generated, whether or not anyone reads it."""
        self._thought.append(step.thought)
        self._said.append(step.said)
        self._is_whole |= step.is_whole
        self._is_settled |= step.is_free
        # Before the reader learns of the end, so that it finds the line in the book.
        if self._is_whole or step.data is None:
            self.settle()

    def settle(self) -> None:
        """Charge it, if that was not done yet."""
        if self._is_settled:
            return
        self._is_settled = True
        completion = self._reply.tokens.completion
        if not self._is_whole:
            completion = sum(estimate_tokens("".join(text)) for text in (self._thought, self._said))
        self._book.charge(self._reply, completion, was_stopped=not self._is_whole)


def _told(amount: Decimal) -> str:
    """Return an amount as DeepSeek writes it, with two places, and more only where it has more."""
    text = plain(amount)
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest:0<2}"
