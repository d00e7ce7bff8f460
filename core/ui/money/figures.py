"""The figure under an answer, and what the next question costs at least."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import streamlit as st

from core.errors import AppError
from core.models.chat import ChatParameters, Message
from core.models.money.hours import hour_class, next_off_peak
from core.models.money.ledger import (
    BudgetState,
    LedgerLine,
    LineKind,
    LineState,
    Reservation,
    Spender,
)
from core.models.money.settling import WITH_PEAK
from core.models.money.usage import estimate_tokens
from core.models.parts import LookupKind, lookup_in, steps_in
from core.storage.money.filters import LedgerFilter
from core.ui import clock, session
from core.ui.money.words import amount_words, line_words
from core.ui.session import text
from core.work.money.report import cost_of_thinking, in_one
from core.work.tools.looking import FETCHES_MOST, SEARCHES_MOST
from core.work.tools.loop import TURNS_MOST

_ZERO = Decimal(0)
# Pictures drawn from an answer, and their prompts, are no part of what it cost.
ANSWER_KINDS: tuple[LineKind, ...] = ("chat", "search", "fetch")
# Of less than that (a hundredth of a cent, about) nobody needs to be told before asking.
_TOLD = Decimal("0.0001")
# From this share of a budget on it is said.
NEARLY = Decimal("0.8")


@dataclass(frozen=True, slots=True)
class NextCost:
    """What the next question costs at least, and in which currency."""

    amount: Decimal
    currency: str


def lines_of(messages: Iterable[Message]) -> dict[str, LedgerLine]:
    """Return the ledger's lines of answers, and of looks into the web, by their ids.

    Of answers that called tools those of all their turns. None where the store does not tell.
    """
    ids: list[str] = []
    with_tools: dict[str, str] = {}
    for message in messages:
        if steps_in(message.parts):
            with_tools[message.id] = message.conversation_id
        look = lookup_in(message.parts)
        ids += [message.id] if message.role == "assistant" else [look.line_id] if look else []
    ledger, owner = session.studio().store.ledger, session.owner()
    try:
        lines = ledger.several(owner, ids)
        for conversation_id in set(with_tools.values()):
            wanted = LedgerFilter(owner=owner, conversation_id=conversation_id, kinds=ANSWER_KINDS)
            lines |= {one.id: one for one in ledger.every(wanted) if one.message_id in with_tools}
    except AppError:
        return {}
    return lines


def answer_line(message: Message, lines: Mapping[str, LedgerLine]) -> LedgerLine | None:
    """Return the line of an answer; of one that called tools all of its lines as one."""
    first = lines.get(message.id)
    if first is None or not steps_in(message.parts):
        return first
    own = [line for line in lines.values() if line.message_id == message.id]
    return in_one(first, [line for line in own if line.currency == first.currency])


def look_line(question: Message | None, lines: Mapping[str, LedgerLine]) -> LedgerLine | None:
    """Return the line of the look into the web that was made for a question."""
    look = lookup_in(question.parts) if question is not None else None
    return lines.get(look.line_id) if look is not None else None


def cost_words(line: LedgerLine | None) -> list[str]:
    """Return what an answer cost, with its hour class and what the thinking alone was."""
    if line is None or line.state is LineState.RESERVED:
        return []
    parts = [line_words(line)]
    if line.hour == "peak" and line.provider in WITH_PEAK:
        parts.append(text("money.peak"))
    thinking = cost_of_thinking(line, session.studio().spending.prices)
    if thinking is not None:
        parts.append(text("money.thinking", amount=amount_words(thinking, line.currency)))
    return parts


def next_cost(path: Iterable[Message], parameters: ChatParameters) -> NextCost | None:
    """Return what the next question costs at least: the context so far, expected in the cache."""
    return _cost(parameters.model, hit=_context_tokens(list(path)))


def input_cost(model: str, tokens: int) -> NextCost | None:
    """Return what so many tokens cost that no cache knows yet."""
    return _cost(model, miss=tokens)


def _cost(model: str, *, hit: int = 0, miss: int = 0) -> NextCost | None:
    studio = session.studio()
    try:
        provider = studio.services.chat(session.owner()).provider
    except AppError:
        return None
    now = studio.spending.time_at(provider)
    currency = studio.spending.currency(provider)
    price = studio.spending.prices.chat(model, currency, now)
    if price is None or not hit + miss:
        return None
    hour = hour_class(now) if provider in WITH_PEAK else "off_peak"
    amount = price.rates(hour).cost(hit=hit, miss=miss, completion=0)
    return NextCost(amount, studio.spending.currency(provider, price.currency))


def look_price(kind: LookupKind) -> Reservation | None:
    """Return what a look into the web costs, as it would be held back; None where nobody can."""
    studio, owner = session.studio(), session.owner()
    try:
        service = studio.services.chat(owner)
    except AppError:
        return None
    if not service.client.server.speaks_deepseek:
        return None
    spender = Spender(owner, session.caller())
    return studio.spending.for_look(spender, service.provider, kind)


def turns_cost(
    path: Iterable[Message], parameters: ChatParameters, files_tokens: int
) -> NextCost | None:
    """Return what it costs at most that each turn of the tools reads what came before again."""
    if not parameters.tools:
        return None
    again = _context_tokens(list(path)) + files_tokens
    return _cost(parameters.model, hit=TURNS_MOST * again)


def tools_most(parameters: ChatParameters) -> NextCost | None:
    """Return what the looks cost at most that tools may make for one answer."""
    if not parameters.tools:
        return None
    search, fetch = look_price("search"), look_price("fetch")
    if search is None or fetch is None or not (search.is_known and fetch.is_known):
        return None
    most = search.bound * SEARCHES_MOST + fetch.bound * FETCHES_MOST
    return NextCost(most, search.line.currency)


def draw_hint(
    path: Sequence[Message],
    parameters: ChatParameters,
    lines: Mapping[str, LedgerLine],
    conversation_id: str | None,
) -> None:
    """Draw below the chat box what the next question costs, and what was spent so far."""
    parts: list[str] = []
    cost = next_cost(path, parameters)
    if cost is not None and cost.amount >= _TOLD:
        parts.append(text("money.next", amount=amount_words(cost.amount, cost.currency)))
    if parameters.search and (look := look_price("search")) is not None and look.is_known:
        words = amount_words(look.bound, look.line.currency)
        parts.append(text("money.next_search", amount=words))
    if (tools := tools_most(parameters)) is not None:
        parts.append(text("money.next_tools", amount=amount_words(tools.amount, tools.currency)))
    if conversation_id is not None:
        parts += _spent_here(conversation_id, lines)
    parts += _hours()
    parts += [remark for state in own_budgets() if (remark := budget_remark(state))]
    if parts:
        with st.bottom:
            st.caption(" · ".join(parts).replace("$", "\\$"))


def _spent_here(conversation_id: str, lines: Mapping[str, LedgerLine]) -> list[str]:
    """Return what the whole conversation cost, and this branch of it where that is less."""
    wanted = LedgerFilter(owner=session.owner(), conversation_id=conversation_id)
    try:
        sums = session.studio().store.ledger.sums(wanted)
    except AppError:
        return []
    found: list[str] = []
    for one in sums:
        whole = amount_words(one.amount, one.currency)
        own = [line for line in lines.values() if line.currency == one.currency]
        branch = amount_words(sum((line.amount or _ZERO for line in own), _ZERO), one.currency)
        is_less = len(own) < one.lines and branch != whole
        text_id = "money.branch_and_whole" if is_less else "money.whole"
        found.append(text(text_id, whole=whole, branch=branch))
    return found


def own_budgets() -> tuple[BudgetState, ...]:
    """Return the budgets that count for whoever sits here, of the currencies in use."""
    owner = session.owner()
    person = owner.removeprefix("user:") if owner.startswith("user:") else None
    try:
        states = session.studio().store.ledger.budgets()
    except AppError:
        return ()
    return tuple(
        state
        for state in states
        if state.budget.scope == "studio"
        or (state.budget.scope == "user" and state.budget.name == person)
    )


def budget_remark(state: BudgetState) -> str | None:
    """Return what is to be said of a budget that is nearly or wholly used up."""
    if not session.is_trusted() or state.share < NEARLY:
        return None
    budget = state.budget
    facts = {
        "spent": amount_words(state.spent, budget.currency),
        "limit": amount_words(budget.limit, budget.currency),
        "period": text(f"money.period_{budget.period}"),
    }
    if state.share >= 1:
        return f":red[{text('money.budget_used_up', **facts)}]"
    return f":orange[{text('money.budget_nearly', **facts)}]"


def _hours() -> list[str]:
    try:
        provider = session.studio().services.chat(session.owner()).provider
    except AppError:
        return []
    spending = session.studio().spending
    cheaper = next_off_peak(spending.time_at(provider)) if provider in WITH_PEAK else None
    if cheaper is None:
        return []
    zone = clock.zone()
    return [text("money.half_price", at=cheaper.astimezone(zone).strftime("%H:%M"))]


def _context_tokens(path: list[Message]) -> int:
    """Return how many tokens the next question takes along: those of the last answer's usage."""
    answers = [message for message in path if message.role == "assistant"]
    usage = answers[-1].usage if answers else None
    if answers and (steps := steps_in(answers[-1].parts)):
        # Its usage is that of all its turns, each of which read everything before it once more.
        texts = [*(one.content for one in path), *(one.arguments + one.result for one in steps)]
        return sum(estimate_tokens(one) for one in texts)
    if usage is not None and usage.prompt_tokens is not None:
        completion = (usage.completion_tokens or 0) - (usage.reasoning_tokens or 0)
        return usage.prompt_tokens + max(completion, 0)
    return sum(estimate_tokens(message.content) for message in path)
