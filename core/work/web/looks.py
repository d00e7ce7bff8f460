"""Looks into the web: each written down with its line in the ledger before it is asked, and once.

A look whose reply was lost stays as `asked`: it may have been paid for, so it is not made again by
itself. What was refused, or brought nothing, is free and may be made again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from core.errors import (
    AppError,
    NotFoundError,
    ProviderError,
    RateLimitError,
    UnavailableError,
    may_be_billed,
)
from core.models.chat import Message
from core.models.money.ledger import LedgerLine, Settlement, Spender
from core.models.money.settling import settle_lost, settle_piece
from core.models.money.usage import most_tokens
from core.models.parts import (
    LookupKind,
    LookupPart,
    LookupState,
    Part,
    SourcePart,
    text_parts,
)
from core.providers.deepseek import web_tools
from core.providers.deepseek.client import DeepSeek
from core.providers.deepseek.wire import PROVIDER
from core.providers.http.exchanges import mark_exchanges
from core.storage.store import Store
from core.wire.masking.secrets import known_secrets
from core.wire.pacing import retry_delays
from core.work.chat.timings import AnswerTimings
from core.work.money.paid_calls import paid_call, written_before
from core.work.money.spending import BROUGHT_MOST, Spending, never_sent

SOURCES_MOST = 8
LOST = "error.look_lost"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a look: its sources, or why there are none."""

    state: LookupState
    sources: tuple[SourcePart, ...] = ()
    error: AppError | None = None


class Looks:
    """Makes looks, on the studio's loop."""

    def __init__(
        self,
        store: Store,
        spending: Spending,
        timings: AnswerTimings = AnswerTimings(),  # noqa: B008 - frozen
    ) -> None:
        self._store = store
        self._spending = spending
        self._timings = timings

    async def for_question(
        self,
        client: DeepSeek,
        provider: str,
        spender: Spender,
        message_id: str,
        look: LookupPart,
    ) -> tuple[Part, ...]:
        """Make a stored question's look; return its parts with what it brought, or raise why not.

        BudgetError, and nothing asked, where no budget has room for it.
        """
        owner = spender.owner
        message = await asyncio.to_thread(self._store.messages.get, owner, message_id)
        if message is None:
            raise AppError("error.message_gone")
        held = self._spending.for_look(
            spender,
            provider,
            _kind(look),
            message_id=message_id,
            conversation_id=message.conversation_id,
        )
        look = replace(look, line_id=held.line.id)
        said = without_looks(message.said(), look.kind)

        def parts(outcome: Outcome) -> tuple[Part, ...]:
            return (*said, replace(look, state=outcome.state), *outcome.sources)

        keep = partial(self._store.messages.keep_parts, owner, message_id)
        outcome = Outcome("asked")
        settled: Settlement | None = settle_lost(held.line)
        await written_before(
            partial(keep, parts(outcome), reservation=held),
            partial(keep, parts(Outcome("wanted")), settling={held.line.id: never_sent}),
        )
        try:
            outcome, settled = await self._made(client, look, held.line)
        finally:
            settling = {held.line.id: lambda _line: settled}
            await asyncio.shield(asyncio.to_thread(keep, parts(outcome), settling=settling))
        if outcome.error is not None:
            raise outcome.error
        return parts(outcome)

    async def for_program(
        self, client: DeepSeek, provider: str, spender: Spender, look: LookupPart, *, count: int
    ) -> tuple[SourcePart, ...]:
        """Make a look that a program asks for by itself, with its line in the ledger."""
        held = self._spending.for_look(spender, provider, _kind(look))
        mark_exchanges(held.line.id)
        async with paid_call(self._store.ledger, held) as call:
            outcome, settled = await self._made(client, look, held.line, count=count)
            call.settle = lambda _line: settled
        if outcome.error is not None:
            raise outcome.error
        return outcome.sources

    async def for_tool(
        self,
        client: DeepSeek,
        provider: str,
        spender: Spender,
        look: LookupPart,
        answer: Message,
    ) -> tuple[Outcome, LedgerLine | None]:
        """Make a look that a model asks for while it answers; return what came, and its line.

        The line counts to the `answer`. BudgetError, and nothing asked, without room for it.
        """
        held = self._spending.for_look(
            spender,
            provider,
            _kind(look),
            message_id=answer.id,
            conversation_id=answer.conversation_id,
        )
        async with paid_call(self._store.ledger, held) as call:
            outcome, settled = await self._made(client, look, held.line)
            call.settle = lambda _line: settled
        line = None if settled is None else replace(held.line, amount=settled.amount)
        return outcome, line

    async def _made(
        self, client: DeepSeek, look: LookupPart, line: LedgerLine, *, count: int = SOURCES_MOST
    ) -> tuple[Outcome, Settlement | None]:
        """Return what became of a look, and what it cost."""

        async def ask() -> tuple[SourcePart, ...]:
            if look.kind == "fetch":
                return (await web_tools.fetch(client, look.query),)
            return await web_tools.search(client, look.query, count=count)

        try:
            found = await self._patiently(ask)
        except NotFoundError as error:  # free, and certain
            return Outcome("empty", error=error), None
        except AppError as error:
            if not may_be_billed(error):
                return Outcome("refused", error=error), None
            facts = {"host": client.server.host}
            lost = UnavailableError(LOST, provider=PROVIDER, facts=facts, detail=error.detail)
            return Outcome("asked", error=lost), settle_lost(line)
        sources = _within(map(_washed, found), BROUGHT_MOST[_kind(look)])
        return Outcome("found", sources), settle_piece(line)

    async def _patiently(
        self, ask: Callable[[], Awaitable[tuple[SourcePart, ...]]]
    ) -> tuple[SourcePart, ...]:
        """Ask again only what was refused for being too quick, or never left this machine."""
        timings = self._timings
        delays = retry_delays(Random(), attempts=timings.retries, first_s=timings.retry_first_s)
        while True:
            try:
                return await ask()
            except ProviderError as error:
                is_unsent = isinstance(error, UnavailableError) and error.is_unsent
                may_ask = error.may_repeat and (isinstance(error, RateLimitError) or is_unsent)
                delay = next(delays, None) if may_ask else None
                wished = error.retry_after_s or 0.0
                if delay is None or wished > timings.retry_after_limit_s:
                    raise
                await asyncio.sleep(max(delay, wished))


def without_looks(parts: Sequence[Part], kind: str) -> tuple[Part, ...]:
    """Return a turn's parts without a look of that kind, and without what it brought."""
    return tuple(
        part
        for part in parts
        if not (isinstance(part, LookupPart | SourcePart) and part.kind == kind)
    )


def question_with_look(question: str, look: LookupPart) -> tuple[Part, ...]:
    """Return the parts of a question for which a look is to be made first."""
    return (*text_parts(question), look)


def _kind(look: LookupPart) -> LookupKind:
    return "fetch" if look.kind == "fetch" else "search"


def _washed(source: SourcePart) -> SourcePart:
    """Return a source without the keys that this studio knows: pages may quote them."""
    wash = known_secrets.wash
    return replace(source, url=wash(source.url), title=wash(source.title), text=wash(source.text))


def _within(sources: Iterable[SourcePart], most: int) -> tuple[SourcePart, ...]:
    """Return sources that are no more tokens than was held back for them: the last are cut."""
    kept: list[SourcePart] = []
    for one in sources:
        head = most_tokens(one.title + one.url + one.date) + 32
        size = head + most_tokens(one.text)
        if size > most:  # signs that are several tokens each
            room = max(0, (most - head) // 4)
            left_out = int(one.left_out or 0) + len(one.text) - room
            one = replace(one, text=one.text[:room], left_out=str(left_out))
        if not one.text:
            break
        most -= min(size, most)
        kept.append(one)
    return tuple(kept)
