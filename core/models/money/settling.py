"""Settles a call: what it cost by the best figure there is. Pure; None means it cost nothing.

A line for which None is returned is taken back: it was refused, or never sent.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.models.chat import AnswerStatus, Message
from core.models.money.amounts import exact, listed_currency
from core.models.money.ledger import LedgerLine, LineState, Mark, Settlement
from core.models.money.prices import ChatPrice, PriceList, unit_costs
from core.models.money.usage import Tokens, cost_of, estimate_tokens, tokens_of
from core.models.parts import TextPart

WITH_PEAK = ("deepseek", "practice")
OWN_PRICE = "settings/"  # how the ids of the owner's prices begin


def settle_answer(
    line: LedgerLine,
    message: Message,
    prices: PriceList,
    *,
    end: datetime,
    was_billed: bool = True,
    ahead: timedelta = timedelta(0),
) -> Settlement | None:
    """Return what an answer cost: by its usage, or by its text where none came.

    `was_billed` is False where it is certain that nothing was: refused, or never sent. `ahead` is
    how far the provider's clock is ahead, by which hours count.
    """
    tokens, is_estimate = tokens_of(message.usage), False
    has_text = bool(message.content or message.reasoning_content or message.parts)
    if tokens is None:
        if not was_billed and not has_text:
            return None
        if not has_text and message.status is AnswerStatus.FAILED:
            return _at_most(line)  # it was on its way, and nobody knows what became of it
        text = message.reasoning_content + message.content
        tokens, is_estimate = _guessed(line, message, text), True
    price = chat_price(prices, line, line.at + ahead)
    if price is None:
        return Settlement(LineState.UNKNOWN, None, tokens=tokens)
    start, end = line.at + ahead, max(end, line.at) + ahead
    cost = cost_of(price, tokens, start=start, end=end)
    mark = Mark.AT_MOST if tokens.is_input_unsplit else Mark.EXACT
    return Settlement(
        LineState.ESTIMATED if is_estimate else LineState.COMPUTED,
        exact(cost.amount),
        low=exact(cost.low) if cost.is_range else None,
        mark=Mark.ABOUT if is_estimate else mark,
        hour=cost.hour,
        tokens=tokens,
    )


def own_output(ended: Message, begun: Message) -> Message:
    """Return what an answer brought by itself, without what it began with."""
    own = [part for part in ended.parts if part not in begun.parts]
    return replace(
        ended,
        content=ended.content[len(begun.content) :],
        reasoning_content=ended.reasoning_content[len(begun.reasoning_content) :],
        parts=tuple(part for part in own if not isinstance(part, TextPart)),
    )


def chat_price(prices: PriceList, line: LedgerLine, at: datetime) -> ChatPrice | None:
    """Return a line's price; only DeepSeek itself, and practice, charge more at peak."""
    price = prices.chat(line.model, line.currency, at)
    if price is None or line.provider in WITH_PEAK:
        return price
    return replace(price, peak=None)


def settle_lost(line: LedgerLine) -> Settlement:
    """Return what a call cost whose end nobody saw: at most what was held back for it."""
    return _at_most(line)


def settle_piece(line: LedgerLine) -> Settlement:
    """Return what a call cost that ended well and whose price was known before, or is not."""
    if line.amount is None:
        return Settlement(LineState.UNKNOWN, None, pieces=line.pieces)
    return Settlement(LineState.COMPUTED, line.amount, pieces=line.pieces)


def settle_task(
    line: LedgerLine,
    *,
    failed: bool,
    made: int | None,
    units: Decimal | None = None,
    cash: Decimal | None = None,
    currency: str | None = None,
    package: str = "image",
) -> Settlement:
    """Return what a task cost: its cash, else its units by the list, else the estimate.

    Of a failed task without figures nothing is expected to be charged (money.md §2.2).
    """
    pieces = made if made is not None else line.pieces
    if cash is not None:
        return Settlement(
            LineState.PROVIDER, exact(cash), currency=currency, units=units, pieces=pieces
        )
    if line.price_id is not None and line.price_id.startswith(OWN_PRICE):
        amount = Decimal(0) if failed else _share(line, pieces)
        return Settlement(LineState.COMPUTED, amount, units=units, pieces=pieces)
    if units is not None:
        unit = unit_costs(package).get(listed_currency(line.currency))
        amount = None if unit is None and units else exact((unit or Decimal(0)) * units)
        state = LineState.COMPUTED if amount is not None else LineState.UNKNOWN
        return Settlement(state, amount, units=units, pieces=pieces)
    if failed:
        return Settlement(LineState.ESTIMATED, Decimal(0), mark=Mark.ABOUT, pieces=pieces)
    if line.bound is None:
        return Settlement(LineState.UNKNOWN, None, pieces=pieces)
    return Settlement(LineState.ESTIMATED, _share(line, pieces), mark=Mark.ABOUT, pieces=pieces)


def _share(line: LedgerLine, pieces: int | None) -> Decimal | None:
    """Return the part of the bound that so many of the pieces are."""
    if line.bound is None or not line.pieces or pieces is None:
        return line.bound
    return exact(line.bound * pieces / line.pieces)


def _at_most(line: LedgerLine) -> Settlement:
    if line.bound is None:
        return Settlement(LineState.UNKNOWN, None)
    return Settlement(LineState.ESTIMATED, line.bound, mark=Mark.AT_MOST)


def _guessed(line: LedgerLine, message: Message, text: str) -> Tokens:
    """Return the tokens of an answer that told none: those asked, and those of its text."""
    prompt = message.usage.prompt_tokens if message.usage is not None else None
    reasoning = estimate_tokens(message.reasoning_content) if message.reasoning_content else None
    asked = prompt if prompt is not None else (line.miss or 0)
    return Tokens(0, asked, estimate_tokens(text), reasoning)
