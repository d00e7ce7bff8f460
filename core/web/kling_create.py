"""`POST /v1/images/generations` through the ledger: written down, sent once, answered as Kling."""

import asyncio
from dataclasses import dataclass
from functools import partial

from core.errors import AppError, InputError, StoreError
from core.models import Generation, GenerationStatus
from core.providers.kling_errors import FULL_CODE
from core.web import kling_envelope as envelope
from core.web.answer_faults import STORE_SENTENCE
from core.web.call import Call
from core.web.desk import Desk
from core.web.kling_request import KlingRequest, kling_request_from_json

PICTURE_BODY_BYTES = 15 * 1024 * 1024
IDEMPOTENCY_HEADER = "idempotency-key"
KEY_MOST = 200

# The studio queues what Kling has no place for; so long a caller waits for its turn.
SEND_PATIENCE_S = 60.0
# Where Kling cannot be reached at all, nobody waits that long.
OFFLINE_PATIENCE_S = 5.0
# How long the sending itself may take after that: it has its own, longer limits.
SENDING_PATIENCE_S = 30.0
_LOOK_FIRST_S = 0.02
_LOOK_MOST_S = 0.25

_QUEUED = (
    "parallel task over resource pack limit: {fate}; the account draws no more at once at the "
    "moment"
)
_TAKEN_BACK = "the studio has taken the wish back and nothing was bought, try again later"
_STAYS = "the wish stays in the studio's queue, repeat it under the same key to learn its task"
_UNCLEAR = (
    "the studio does not know yet whether Kling took the task; it keeps asking, and shows the "
    "task in its gallery: do not send it again, except under the same Idempotency-Key"
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    status: int
    body: dict[str, object]


class KlingCreate:
    """Buys pictures for callers of the HTTP layer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waits: dict[str, asyncio.Task[_Outcome]] = {}

    async def create(self, call: Call) -> None:
        """Answer a create request once the task exists, or is refused."""
        body = await call.json_object(most_bytes=PICTURE_BODY_BYTES)
        key = call.headers.get(IDEMPOTENCY_HEADER, "").strip()
        try:
            # Decoding a picture takes its time.
            asked = await asyncio.to_thread(kling_request_from_json, body)
            if len(key) > KEY_MOST:
                raise InputError(
                    "Idempotency-Key",
                    f"The Idempotency-Key may have {KEY_MOST} characters.",
                    text_id="error.idempotency_key_too_long",
                    facts={"limit": KEY_MOST},
                )
            generation = await asyncio.to_thread(self._request, call.owner, asked, key or None)
        except InputError as error:
            refusal = envelope.error(envelope.PARAMETERS_CODE, str(error))
            await call.reply_json(400, refusal)
            return
        except AppError as error:
            told = STORE_SENTENCE if isinstance(error, StoreError) else str(error)
            await call.reply_json(503, envelope.error(envelope.FAULT_CODE, told))
            return
        is_keyed = bool(key) or asked.external_task_id is not None
        outcome = await self._outcome(call.owner, generation.id, is_keyed=is_keyed)
        await call.reply_json(outcome.status, outcome.body)

    def _request(self, owner: str, asked: KlingRequest, key: str | None) -> Generation:
        return self._desk.studio.generations.request(
            owner,
            asked.request,
            reference=asked.reference,
            origin="http",
            external_task_id=asked.external_task_id,
            idempotency_key=key,
        )

    async def _outcome(self, owner: str, generation_id: str, *, is_keyed: bool) -> _Outcome:
        """Wait for what became of a wish; repeats of one wish wait together."""
        wait = self._waits.get(generation_id)
        if wait is None:
            wait = asyncio.create_task(self._wait(owner, generation_id, is_keyed=is_keyed))
            self._waits[generation_id] = wait
            wait.add_done_callback(partial(self._forget, generation_id))
        return await asyncio.shield(wait)

    def _forget(self, generation_id: str, _wait: "asyncio.Task[_Outcome]") -> None:
        del self._waits[generation_id]

    async def _wait(self, owner: str, generation_id: str, *, is_keyed: bool) -> _Outcome:
        clock = asyncio.get_running_loop().time
        began, pause_s = clock(), _LOOK_FIRST_S
        while True:
            try:
                generation = await asyncio.to_thread(
                    self._desk.studio.store.generations.load, generation_id
                )
            except StoreError:
                return _Outcome(503, envelope.error(envelope.FAULT_CODE, STORE_SENTENCE))
            if generation is None:
                return _Outcome(404, envelope.error(1203, "the wish was deleted"))
            if (outcome := _settled(generation)) is not None:
                return outcome
            waited_s = clock() - began
            is_waiting = (
                generation.status is GenerationStatus.INTENDED and generation.sending_at is None
            )
            trouble = self._desk.studio.generations.trouble(generation_id)
            if is_waiting and waited_s > (
                OFFLINE_PATIENCE_S if trouble is not None else SEND_PATIENCE_S
            ):
                outcome = await self._give_up(owner, generation_id, trouble, is_keyed=is_keyed)
                if outcome is not None:
                    return outcome
            elif waited_s > SEND_PATIENCE_S + SENDING_PATIENCE_S:
                return _Outcome(504, envelope.error(envelope.TIMEOUT_CODE, _UNCLEAR))
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LOOK_MOST_S)

    async def _give_up(
        self, owner: str, generation_id: str, trouble: AppError | None, *, is_keyed: bool
    ) -> _Outcome | None:
        """Take the wish back, so that nothing is bought behind the caller's back."""
        if is_keyed and trouble is None:
            message = _QUEUED.format(fate=_STAYS)
            return _Outcome(429, envelope.error(FULL_CODE, message))
        is_back = await asyncio.to_thread(
            self._desk.studio.generations.cancel, owner, generation_id
        )
        if not is_back:
            return None  # it is being sent at this moment: its outcome is worth waiting for
        if trouble is not None:
            return _Outcome(502, envelope.error(envelope.FAULT_CODE, str(trouble)))
        message = _QUEUED.format(fate=_TAKEN_BACK)
        return _Outcome(429, envelope.error(FULL_CODE, message))


def _settled(generation: Generation) -> _Outcome | None:
    """Return the reply for a wish whose fate is known."""
    if generation.task_id is not None:
        return _Outcome(200, envelope.created(generation))
    if generation.status is GenerationStatus.REFUSED:
        return _Outcome(*envelope.refused(generation))
    if generation.status is GenerationStatus.CANCELLED:
        message = "the wish was taken back before it was sent; send it under a new key"
        return _Outcome(400, envelope.error(envelope.PARAMETERS_CODE, message))
    return None
