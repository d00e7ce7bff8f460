"""Deduplication of a client's own retries: what is drawn for a caller who left is not bought again.

OpenAI's clients repeat by themselves what a proxy cut or a line lost, and count it in a header. A
request that says so takes over the one whose caller has left, where it is the same in all; any
other is a request of its own, and an `Idempotency-Key` is safer than either.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from core.models.generations import Generation, ReferenceImage
from core.web.http_call import HttpCall
from core.web.kling.create import IDEMPOTENCY_HEADER
from core.web.openai.images.request import PictureRequest

COUNT_HEADER = "x-stainless-retry-count"
LIFETIME_S = 900.0
_MOST = 1_000


@dataclass(slots=True, eq=False)
class Attempt:
    """One call: whether somebody still waits for it, and what was written down for it."""

    key: str
    begun_at: float
    left: asyncio.Event = field(default_factory=asyncio.Event)
    written: "asyncio.Future[Generation | None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def leave(self) -> None:
        """Note that nobody waits for it any more."""
        self.left.set()

    def wrote(self, generation: Generation | None) -> None:
        """Note the row, or that there is none."""
        if not self.written.done():
            self.written.set_result(generation)


class Retries:
    """Remembers calls whose callers left before they were answered. Lives on the server's loop."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._attempts: OrderedDict[Attempt, None] = OrderedDict()

    def begin(self, key: str) -> Attempt:
        """Remember a call that begins."""
        oldest = self._clock() - LIFETIME_S
        while self._attempts:
            first = next(iter(self._attempts))
            if first.begun_at > oldest and len(self._attempts) < _MOST:
                break
            del self._attempts[first]
        attempt = Attempt(key, self._clock())
        self._attempts[attempt] = None
        return attempt

    def forget(self, attempt: Attempt) -> None:
        """Drop a call that was answered."""
        self._attempts.pop(attempt, None)

    async def taken_over(self, key: str) -> Generation | None:
        """Return what the same call has begun for somebody who left; only one repeat gets it."""
        oldest = self._clock() - LIFETIME_S
        for attempt in list(self._attempts):
            if attempt.key == key and attempt.left.is_set() and attempt.begun_at > oldest:
                self.forget(attempt)
                if (generation := await attempt.written) is not None:
                    return generation
        return None


def marks_retries(call: HttpCall) -> bool:
    """Tell whether the caller's client says which of its calls are repeats."""
    return call.headers.get(COUNT_HEADER, "").isdigit()


def is_retry(call: HttpCall) -> bool:
    """Tell whether the call is a repeat, by its own word."""
    return marks_retries(call) and call.headers[COUNT_HEADER].strip("0") != ""


def attempt_key(call: HttpCall, asked: PictureRequest, reference: ReferenceImage | None) -> str:
    """Return what two calls of one caller have in common when they ask for the same."""
    own_key = call.headers.get(IDEMPOTENCY_HEADER)
    told = hashlib.sha256(repr((call.owner, call.caller, own_key, asked.request)).encode())
    if reference is not None:
        told.update(reference.content)
    return told.hexdigest()
