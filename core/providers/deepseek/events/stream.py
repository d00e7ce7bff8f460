"""A streamed answer as it arrives: reads while anything can come, and watches the clock."""

from collections.abc import AsyncIterator, Sequence

import httpx

from core.errors import ProviderError
from core.models.deltas import Delta
from core.providers.deepseek.events.fast_decoder import FastDecoder
from core.providers.deepseek.schema_tool import CallAsContent
from core.providers.deepseek.timeouts import Limit, StreamTimers, TimedBody, next_data_limit

# After finish_reason only usage and [DONE] can follow; some servers send neither and stay open.
GRACE_S = 2.0
# The reply's last bytes mostly travel with [DONE]; read to the end, the connection can be reused.
DRAIN_S = 0.1


class ChunkStream:
    """Yields what each read brings; raises when the answer broke off or never was one."""

    def __init__(
        self,
        response: httpx.Response,
        *,
        host: str,
        secrets: Sequence[str],
        timers: StreamTimers,
        waited_s: float = 0.0,
        reading: CallAsContent | None = None,
    ) -> None:
        self._body = TimedBody(response, host=host, timers=timers, waited_s=waited_s)
        self._next_data = next_data_limit(timers)
        content_type = response.headers.get("content-type", "").lower()
        self._decoder = FastDecoder(host=host, secrets=secrets, content_type=content_type)
        self._reading = reading

    async def batches(self) -> AsyncIterator[list[Delta]]:
        """Yield what came, in batches of at least one: each one by itself would cost as much."""
        answer = self._decoder.answer
        while not answer.is_ended:
            if batch := await self._read_on():
                yield batch if self._reading is None else list(map(self._reading.take, batch))
        if answer.failure is not None:
            raise answer.failure

    async def drain(self) -> None:
        """Read what is left behind a complete answer, if it is there already."""
        answer = self._decoder.answer
        if answer.is_ended and answer.is_finished:
            self._body.wait_for(Limit(DRAIN_S, ""))
            try:
                while await self._body.read():
                    pass
            except ProviderError:
                pass

    def end(self) -> None:
        """Yield nothing more: the connection is being closed."""
        self._decoder.answer.is_ended = True
        self._body.close()

    async def _read_on(self) -> list[Delta]:
        decoder = self._decoder
        try:
            raw = await self._body.read()
        except ProviderError as error:
            return decoder.break_off(error)
        if not raw:
            return decoder.end()
        deltas = decoder.feed(raw)
        if decoder.answer.has_moved:
            # At the end it moves once more: the grace begins.
            is_finished = decoder.answer.is_finished
            self._body.wait_for(Limit(GRACE_S, "") if is_finished else self._next_data)
        return deltas
