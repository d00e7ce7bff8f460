"""The bounded tool loop of one answer: asked, tools run, asked again, until nothing more is wanted.

Each turn is a call of its own, held back for before it is sent and settled as soon as it has ended,
so that a process that dies in between has paid for what the ledger says. A step is kept with the
answer before it is run. The last turn may call nothing: after so many turns, where a call is made
a second time, or where a budget has no room for more.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from core.errors import AppError, RejectedError
from core.models.chat import AnswerStatus, ChatParameters, Turn
from core.models.chat_options import ChatOptions
from core.models.money.amounts import plain
from core.models.money.ledger import LedgerLine, LineState, Reservation, Settlement, Spender
from core.models.parts import Part, SourcePart, TextPart, ToolCall, ToolStep
from core.storage.money.book import Settle
from core.storage.store import Store
from core.work.chat.asking.steps import step_turns
from core.work.chat.attempts import Context
from core.work.chat.live_answer import LiveAnswer
from core.work.money.paid_calls import paid_call, written_down
from core.work.money.spending import LONGEST_ANSWER, Spending
from core.work.tools.tool import ToolOutcome, same_call
from core.work.tools.toolbox import OFFERED, Toolbox

logger = logging.getLogger(__name__)

TURNS_MOST = 8  # in which tools may be called
CALLS_MOST = 4  # in one turn
TOLD_MOST = 16  # of more calls in one turn nothing is kept
ARGUMENTS_MOST = 8_000

Ended = tuple[AnswerStatus, AppError | None]
Ask = Callable[[Context, ChatParameters, ChatOptions], Awaitable[Ended]]


@dataclass(slots=True)
class ToolLoop:
    """The loop of one answer. On the studio's loop."""

    live: LiveAnswer
    toolbox: Toolbox
    store: Store
    spending: Spending
    spender: Spender
    held: Reservation  # for the first turn
    settle: Settle | None = None  # of the first turn's line, where others followed

    async def bring_in(
        self, context: Context, parameters: ChatParameters, options: ChatOptions, ask: Ask
    ) -> Ended:
        """Let the answer grow, turn by turn, until it is complete or cannot go on."""
        options = replace(options, tools=OFFERED)
        # Read once: the answer's own row grows meanwhile.
        base: list[Turn] | None = None

        async def first(with_reasoning: bool) -> list[Turn]:
            nonlocal base
            base = await context(with_reasoning or parameters.thinking)
            return base

        ended = await ask(first, parameters, options)
        if self.held.granted_tokens is not None:  # each turn gets what is left then
            parameters = replace(parameters, max_tokens=None)
        seen: set[str] = set()
        number = 0
        while ended[0] is AnswerStatus.COMPLETE and self.live.asks_for_tools:
            number += 1
            try:
                if number == 1:
                    await self._settle_first()
                goes_on = await self._run(number, seen)
                self.live.next_turn()
                if not goes_on or number == TURNS_MOST:
                    options = replace(options, tool_choice="none")
                ended = await self._turn(base or [], parameters, options, ask)
                if options.tool_choice == "none" and _is_refused(ended):
                    # A server that knows no such choice while it thinks (deepseek.md section 3).
                    bare = replace(options, tools=(), tool_choice=None)
                    ended = await self._turn(base or [], parameters, bare, ask)
            except AppError as error:
                return AnswerStatus.CUT_OFF, error
            except Exception:  # a bug must not leave an answer running for ever
                logger.exception("Answer %s: its tools broke down", self.live.message_id)
                return AnswerStatus.CUT_OFF, AppError()
            if options.tool_choice == "none":
                self.live.leave_calls()
                break
        if number and ended[0] is AnswerStatus.FAILED:  # what came before it is there
            return AnswerStatus.CUT_OFF, ended[1]
        return ended

    async def _settle_first(self) -> None:
        self.live.end_turn()
        turn = self.live.turn()
        settled = self.spending.answer_settled(lambda: turn, None, was_sent=True)
        self.settle = settle = self._noting(settled)
        line_id = self.held.line.id
        await written_down(lambda: self.store.ledger.settle({line_id: settle}))

    async def _turn(
        self, base: Sequence[Turn], parameters: ChatParameters, options: ChatOptions, ask: Ask
    ) -> Ended:
        """Ask once more with what the tools returned: a line of its own in the ledger."""
        live, line = self.live, self.held.line
        steps = step_turns(live.steps, with_reasoning=parameters.thinking)
        turns = [*base, *steps]
        read = [*turns, Turn.of_text("system", options.prompt())]
        held = self.spending.for_answer(self.spender, line.provider, parameters, read)
        held.line = replace(
            held.line,
            message_id=line.message_id,
            conversation_id=line.conversation_id,
            until=held.line.at + LONGEST_ANSWER,
        )

        async def context(_with_reasoning: bool) -> list[Turn]:
            return turns

        ended: Ended = (AnswerStatus.RUNNING, None)
        async with paid_call(self.store.ledger, held) as call:
            # However it ends, also by a stop: by what came of this turn.
            call.settle = lambda of: self._settled(*ended)(of)
            if (granted := held.granted_tokens) is not None:
                parameters = replace(parameters, max_tokens=granted)
                live.note_granted(granted)
            ended = await ask(context, parameters, options)
            live.end_turn()
        return ended

    def _settled(self, status: AnswerStatus, error: AppError | None) -> Settle:
        turn = replace(self.live.turn(), status=status)
        return self._noting(self.spending.answer_settled(lambda: turn, error, was_sent=True))

    def _noting(self, settle: Settle) -> Settle:
        """Return the same settling, which adds to what the answer is told to have cost."""

        def noted(line: LedgerLine) -> Settlement | None:
            settled = settle(line)
            if settled is not None:
                self._note_cost(replace(settled, currency=settled.currency or line.currency))
            return settled

        return noted

    def _note_cost(self, settled: Settlement) -> None:
        before = self.live.cost
        if before is not None and before.currency == settled.currency:
            known = before.amount is not None and settled.amount is not None
            amount = (before.amount or 0) + (settled.amount or 0) if known else None
            settled = replace(settled, amount=None if amount is None else Decimal(amount))
        self.live.cost = settled

    async def _run(self, number: int, seen: set[str]) -> bool:
        """Run what the turn asks for, one after the other; return whether more may be asked."""
        turn = self.live.turn()
        calls = [part for part in turn.parts if isinstance(part, ToolCall)][:TOLD_MOST]
        before = self.live.steps
        # What is not run is told at once: a model may ask for a thousand calls.
        steps = [_step(call, number) for call in calls[:CALLS_MOST]]
        refused = ToolOutcome(f"Not run: at most {CALLS_MOST} calls at once.", "refused")
        steps += [_ended(_step(call, number), refused, 0) for call in calls[CALLS_MOST:]]
        steps[0] = replace(steps[0], said=turn.content, thought=turn.reasoning_content)
        await self._keep((*before, *steps))
        goes_on = True
        for place, call in enumerate(calls[:CALLS_MOST]):
            began = time.monotonic()
            outcome, is_over = await self._outcome(call, seen)
            goes_on = goes_on and not is_over
            if outcome.line is not None:
                line = outcome.line
                cost = Settlement(LineState.COMPUTED, line.amount, currency=line.currency)
                self._note_cost(cost)
            duration_ms = round((time.monotonic() - began) * 1000)
            steps[place] = _ended(steps[place], outcome, duration_ms)
            await self._keep((*before, *steps), outcome.sources)
        return goes_on

    async def _outcome(self, call: ToolCall, seen: set[str]) -> tuple[ToolOutcome, bool]:
        if len(call.arguments) > ARGUMENTS_MOST:
            return ToolOutcome("Not run: the arguments are too long.", "failed"), False
        if (same := same_call(call.name, call.arguments)) in seen:
            told = "Not run again: this call was made before; its result stands above."
            return ToolOutcome(told, "refused"), True
        seen.add(same)
        return await self.toolbox.run(call)

    async def _keep(self, steps: tuple[ToolStep, ...], found: tuple[SourcePart, ...] = ()) -> None:
        """Tell the readers, and write down beside the text that is kept as it grows."""
        self.live.note_steps(steps, found)
        parts: tuple[Part, ...] = (TextPart(""), *steps, *self.live.found)
        keep, live = self.store.messages.keep_parts, self.live
        writing = asyncio.ensure_future(asyncio.to_thread(keep, live.owner, live.message_id, parts))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:  # what is written at the end is to be the last
            await asyncio.wait({writing})
            raise


def _is_refused(ended: Ended) -> bool:
    """Tell whether a turn was refused as it was asked, so that nothing came of it."""
    status, error = ended
    return status is AnswerStatus.FAILED and isinstance(error, RejectedError)


def _step(call: ToolCall, number: int) -> ToolStep:
    return ToolStep(call.id, call.name, call.arguments[:ARGUMENTS_MOST], str(number))


def _ended(step: ToolStep, outcome: ToolOutcome, duration_ms: int) -> ToolStep:
    step = replace(step, result=outcome.text, state=outcome.state, duration_ms=str(duration_ms))
    if (line := outcome.line) is None:
        return step
    amount = "" if line.amount is None else plain(line.amount)
    return replace(step, line_id=line.id, amount=amount, currency=line.currency)
