"""Reservations and settlements for calls of every kind, by the owner's prices.

What is returned here is written down by whoever writes the call's row, in the same transaction.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from core.errors import AppError, may_be_billed
from core.models.chat import AnswerStatus, ChatParameters, Message, Turn, Usage
from core.models.generations import Generation, GenerationRequest
from core.models.money.amounts import PRACTICE_CURRENCY, exact
from core.models.money.hours import highest_class
from core.models.money.ledger import (
    LedgerLine,
    LineKind,
    LineState,
    Reservation,
    Settlement,
    Spender,
)
from core.models.money.prices import WEB, PiecePrice, PriceList
from core.models.money.settling import chat_price, own_output, settle_answer
from core.models.money.usage import most_output
from core.models.parts import LookupKind
from core.models.speech import TRANSCRIPTION
from core.settings.money import MoneySettings
from core.storage.money.book import Settle
from core.work.money.input_tokens import input_tokens

# The class of the hour in which it ends may count: so long an answer may well take.
LONGEST_ANSWER = timedelta(minutes=30)
# What a look into the web brings at most, in tokens.
BROUGHT_MOST: dict[LookupKind, int] = {"search": 16_000, "fetch": 42_000}
# A call without a row of its own has ended by then, whatever became of it.
WITHOUT_ROW = timedelta(minutes=15)


class Spending:
    """What calls may cost at most, and what they did cost. From any thread."""

    def __init__(
        self,
        settings: Callable[[], MoneySettings],
        currency_of: Callable[[str], str],
        *,
        ahead_of: Callable[[str], timedelta] = lambda _provider: timedelta(0),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._currency_of = currency_of
        self._ahead_of = ahead_of
        self._clock = clock

    @property
    def prices(self) -> PriceList:
        """The price list with what the owner set."""
        return self._settings().prices

    def currency(self, provider: str, own: str | None = None) -> str:
        """Return in which currency a provider bills; practice in one that buys nothing."""
        if provider == "practice":
            return PRACTICE_CURRENCY
        return own or self._currency_of(provider)

    def time_at(self, provider: str) -> datetime:
        """Return this moment by the provider's clock, by which its hours count."""
        return self._clock() + self._ahead_of(provider)

    def ahead(self, provider: str) -> timedelta:
        """Return how far a provider's clock is ahead of ours."""
        return self._ahead_of(provider)

    # -- chat --------------------------------------------------------------------------------------

    def for_answer(
        self,
        spender: Spender,
        provider: str,
        parameters: ChatParameters,
        turns: Iterable[Turn],
        *,
        kind: LineKind = "chat",
        brought: int = 0,
    ) -> Reservation:
        """Return what an answer may cost: all input missed, output as long as it may get.

        Without `max_tokens` the output may be cut to what a budget pays for. `brought` is how many
        tokens more a look into the web may bring along before it is asked.
        """
        now = self._clock()
        most, about = input_tokens(turns)
        most += brought
        line = self._line(spender, kind, provider, parameters.model, now)
        there = now + self._ahead_of(provider)
        price = chat_price(self.prices, line, there)
        if price is None:
            return Reservation(replace(line, miss=about), is_known=False)
        line = replace(line, currency=self.currency(provider, price.currency))
        hour = highest_class(there, there + LONGEST_ANSWER)
        rates = price.rates(hour)
        output = most_output(parameters)
        per_token = rates.output / 1_000_000
        bound = exact(rates.dearest_input * most / 1_000_000 + per_token * output)
        return Reservation(
            replace(line, amount=bound, bound=bound, price_id=price.id, hour=hour, miss=about),
            per_token=per_token if parameters.max_tokens is None else None,
            output_tokens=output,
        )

    def for_side_call(
        self,
        spender: Spender,
        provider: str,
        parameters: ChatParameters,
        turns: Iterable[Turn],
        kind: LineKind,
        *,
        conversation_id: str,
        message_id: str | None = None,
    ) -> Reservation:
        """Return what a title, or a prompt, may cost; the call has no row of its own."""
        held = self.for_answer(spender, provider, parameters, turns, kind=kind)
        line = replace(held.line, conversation_id=conversation_id, message_id=message_id)
        held.line = replace(line, until=line.at + WITHOUT_ROW)
        return held

    def words_settled(self, words: str, usage: Usage | None) -> Settle:
        """Return how a call without a row is settled that brought these words."""
        now = self._clock()
        message = Message(
            "", "", None, "assistant", words, now, status=AnswerStatus.COMPLETE, usage=usage
        )
        return self.answer_settled(lambda: message, None, was_sent=True)

    def answer_settled(
        self,
        message: Callable[[], Message],
        error: AppError | None,
        *,
        was_sent: bool,
        begun: Message | None = None,
    ) -> Settle:
        """Return how an answer that ended is settled; what it began with is no output of it."""
        was_billed = was_sent and (error is None or may_be_billed(error))
        end, prices = self._clock(), self.prices

        def settle(line: LedgerLine) -> Settlement | None:
            ended = message()
            if begun is not None:
                ended = own_output(ended, begun)
            ahead = self._ahead_of(line.provider)
            return settle_answer(line, ended, prices, end=end, was_billed=was_billed, ahead=ahead)

        return settle

    # -- generations -------------------------------------------------------------------------------

    def for_task(self, spender: Spender, provider: str, request: GenerationRequest) -> Reservation:
        """Return what a generation costs; its price is known before, or unknown."""
        now = self._clock()
        kind: LineKind = "speech" if request.kind == "speech" else "image"
        line = self._line(spender, kind, provider, request.model_name, now)
        line = replace(line, pieces=request.n)
        price = self.prices.pieces(*request.price_key, request.price_facts, now)
        held = self._by_the_piece(line, price, request.n)
        if held.is_known and price is not None and price.units is not None:
            held.line = replace(held.line, units=price.units * request.n)
        return held

    def for_speech(self, spender: Spender, host: str, model: str, words: str) -> Reservation:
        """Return what a server of the settings takes for a text: by the owner's price, or unknown.

        The price is that of a thousand characters.
        """
        now = self._clock()
        line = self._line(spender, "speech", host, model, now, has_row=False)
        line = replace(line, pieces=len(words))
        price = self.prices.pieces("speech", model, {}, now)
        return self._by_the_piece(line, price, Decimal(len(words)) / 1_000)

    def for_recording(
        self, spender: Spender, host: str, model: str, seconds: float | None
    ) -> Reservation:
        """Return what writing a recording down takes: by the owner's price of a minute, or unknown.

        Unknown, too, where nobody can tell how long the recording is.
        """
        now = self._clock()
        line = self._line(spender, "speech", host, model, now, has_row=False)
        price = self.prices.pieces(TRANSCRIPTION, model, {}, now)
        pieces = None if seconds is None else _minutes(seconds)
        if pieces is None and price is not None and not any(price.each.values()):
            pieces = Decimal(0)  # free, however long it is
        return self._by_the_piece(line, price, pieces)

    def recording_settled(self, told_s: float | None) -> Settle:
        """Return how a recording is settled that was written down; a server may tell its length."""
        prices = self.prices

        def settle(line: LedgerLine) -> Settlement:
            price = prices.pieces(TRANSCRIPTION, line.model, {}, line.at)
            amount = line.amount
            if price is not None and told_s is not None:
                amount = price.amount(line.currency, pieces=_minutes(told_s))
            if amount is None:
                return Settlement(LineState.UNKNOWN, None)
            return Settlement(LineState.COMPUTED, exact(amount))

        return settle

    def for_look(
        self,
        spender: Spender,
        provider: str,
        kind: LookupKind,
        *,
        message_id: str | None = None,
        conversation_id: str | None = None,
    ) -> Reservation:
        """Return what a look into the web costs: a search, or a page; free where it brings nothing.

        The call has no row of its own: `message_id` is the question that it is made for.
        """
        now = self._clock()
        line = self._line(spender, kind, provider, kind, now, has_row=False)
        line = replace(line, pieces=1, message_id=message_id, conversation_id=conversation_id)
        return self._by_the_piece(line, self.prices.pieces(WEB, kind, {}, now), 1)

    def recovered(self, owner: str, provider: str, generation: Generation) -> LedgerLine:
        """Return the line of a task that was found at the provider: nobody held anything back."""
        spender = Spender(owner, "page", "recovered")
        line = self._line(spender, "image", provider, "", generation.created_at)
        return replace(
            line, id=generation.id, generation_id=generation.id, task_id=generation.task_id
        )

    def for_forwarded(
        self, spender: Spender, provider: str, model: str, amount: Decimal | None
    ) -> Reservation:
        """Return what a call may cost that is passed on to a provider as it is."""
        line = self._line(spender, "forwarded", provider, model, self._clock(), has_row=False)
        if amount is None:
            return Reservation(line, is_known=False)
        return Reservation(replace(line, amount=exact(amount), bound=exact(amount)))

    def _by_the_piece(
        self, line: LedgerLine, price: PiecePrice | None, pieces: Decimal | int | None
    ) -> Reservation:
        """Reserve what so many pieces cost; unknown without a price, or without their number.

        In the account's currency where the price has that, else in the price's own.
        """
        if price is None:
            return Reservation(line, is_known=False)
        own = None if line.currency in price.each else next(iter(price.each), None)
        line = replace(line, currency=self.currency(line.provider, own))
        if pieces is None:  # told later, it may be: by this price
            return Reservation(replace(line, price_id=price.id), is_known=False)
        amount = price.amount(line.currency, pieces=pieces)
        if amount is None:
            return Reservation(line, is_known=False)
        held = exact(amount)
        return Reservation(replace(line, amount=held, bound=held, price_id=price.id))

    def _line(
        self,
        spender: Spender,
        kind: LineKind,
        provider: str,
        model: str,
        now: datetime,
        *,
        has_row: bool = True,
    ) -> LedgerLine:
        return LedgerLine(
            id=f"{kind}-{uuid4().hex}",
            at=now,
            kind=kind,
            state=LineState.RESERVED,
            provider=provider,
            model=model,
            owner=spender.owner,
            caller=spender.caller,
            origin=spender.origin,
            currency=self.currency(provider),
            amount=None,
            until=None if has_row else now + WITHOUT_ROW,
        )


def never_sent(_line: LedgerLine) -> None:
    """Settle a call that was refused or never sent: its line is taken back."""


def _minutes(seconds: float) -> Decimal:
    return Decimal(str(seconds)) / 60
