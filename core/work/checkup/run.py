"""Runs a check-up: each room of it in turn, its findings as they come."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

from core.providers.http.exchanges import mark_exchanges
from core.work.checkup.accounts import look_at_chat, look_at_kling
from core.work.checkup.asked import Asked
from core.work.checkup.finding import Finding, found
from core.work.checkup.house import look_at_house
from core.work.checkup.keys import look_at_shapes
from core.work.checkup.places import look_at_places
from core.work.checkup.routes import look_at_routes

logger = logging.getLogger(__name__)

Look = Callable[[Asked], AsyncIterator[Finding]]

_ROOMS: tuple[Look, ...] = (look_at_places, look_at_routes, look_at_chat, look_at_kling)
SUBJECT = "checkup"  # of its exchanges, for the X-ray


async def run_checkup(asked: Asked) -> AsyncIterator[Finding]:
    """Yield findings. Nothing of it can cost: no room of it sends a POST."""
    mark_exchanges(SUBJECT)
    for one in look_at_house():
        yield one
    for one in look_at_shapes(asked.settings):
        yield one
    waiting = [asyncio.ensure_future(_all(look, asked)) for look in _ROOMS]
    try:
        for done in asyncio.as_completed(waiting):
            for one in await done:
                yield one
    finally:
        for task in waiting:
            task.cancel()


async def _all(look: Look, asked: Asked) -> list[Finding]:
    try:
        return [one async for one in look(asked)]
    except Exception as error:  # whatever it is: the other rooms are looked at all the same
        logger.exception("a part of the check-up failed")
        return [found("not_looked", part=look.__name__, detail=type(error).__name__)]
