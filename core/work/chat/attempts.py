"""Brings an answer in: asks, asks again where that can harm nobody, and says how it ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from random import Random

from core.errors import (
    AppError,
    AuthenticationError,
    InputError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    RejectedError,
    UnavailableError,
)
from core.models.chat import AnswerStatus, ChatParameters, Turn
from core.models.chat_options import ChatOptions
from core.providers.deepseek.client import DeepSeek
from core.wire.pacing import retry_delays
from core.work.chat.live_answer import LiveAnswer
from core.work.chat.timings import AnswerTimings

logger = logging.getLogger(__name__)

# Refused outright: asking again at once would be refused again.
_FINAL_ERRORS = (AuthenticationError, QuotaExceededError, RejectedError, InputError)

# Returns what to send; the argument tells whether earlier reasoning goes with it.
Context = Callable[[bool], Awaitable[list[Turn]]]


async def bring_in(
    live: LiveAnswer,
    context: Context,
    parameters: ChatParameters,
    options: ChatOptions,
    client: DeepSeek,
    *,
    timings: AnswerTimings,
) -> tuple[AnswerStatus, AppError | None]:
    """Let `live` grow until the answer is complete or cannot go on."""
    with_reasoning = False
    delays: Iterator[float] | None = None
    timeout_s = timings.retry_after_limit_s
    while True:
        try:
            turns = await context(with_reasoning)
            live.restart_clock()
            await _receive(live, turns, parameters, options, client)
        except AppError as error:
            if live.has_grown:
                return AnswerStatus.CUT_OFF, error
            if error.text_id == "error.reasoning_required" and not with_reasoning:
                with_reasoning = True
                continue
            delays = delays or _delays(timings)
            delay = next(delays, None) if _is_worth_retrying(error) else None
            requested_s = _wished_rest_s(error)
            if delay is None or requested_s > timeout_s:
                return AnswerStatus.FAILED, error
            logger.info("Answer %s: %s, asked again", live.message_id, error.text_id)
            if requested_s > delay:
                # Everyone who was told the same second would come back in it: a little later.
                delay = requested_s + min(delay, 1.0)
                timeout_s -= requested_s
                live.rest(delay)
            await asyncio.sleep(delay)
        except Exception:  # a bug must not leave an answer running for ever
            logger.exception("Answer %s ended with an unexpected error", live.message_id)
            return AnswerStatus.FAILED, AppError()
        else:
            return AnswerStatus.COMPLETE, None


def _delays(timings: AnswerTimings) -> Iterator[float]:
    """Yield how many seconds to wait before each further attempt."""
    return retry_delays(Random(), attempts=timings.retries, first_s=timings.retry_first_s)


async def _receive(
    live: LiveAnswer,
    turns: Sequence[Turn],
    parameters: ChatParameters,
    options: ChatOptions,
    client: DeepSeek,
) -> None:
    if not parameters.stream:
        whole, broken = await client.complete_as_far(turns, parameters, options)
        live.add(*whole.deltas())
        if broken is not None:
            raise broken
        return
    async with client.stream(turns, parameters, options) as chunks:
        live.accept()
        async for batch in chunks.batches():
            live.add(*batch)


def _wished_rest_s(error: AppError) -> float:
    return (error.retry_after_s or 0.0) if isinstance(error, ProviderError) else 0.0


def _is_worth_retrying(error: AppError) -> bool:
    # Only before the first text, and only what was refused or never sent: a request on which the
    # server hung up may be running, and billed, over there (a kept connection that was closed
    # before is not that: its transport asks once more).
    if isinstance(error, _FINAL_ERRORS):
        return False
    if isinstance(error, ProviderError) and not error.may_repeat:
        return False
    if isinstance(error, RateLimitError):
        return True
    return isinstance(error, UnavailableError) and (
        error.status_code is not None
        or error.text_id in ("error.network_connect", "error.network_proxy")
    )
