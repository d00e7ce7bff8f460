"""A posted create body as a generation: written down, sent once, answered as Kling."""

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from core.errors import AppError, InputError, StoreError, UnavailableError
from core.models.generations import Generation, GenerationRequest, GenerationStatus, ReferenceImage
from core.models.kinds import check_fields
from core.models.money.ledger import BudgetError
from core.providers.kling.errors import FULL_CODE, TASK_MISSING
from core.texts.catalogue import Language, text
from core.web.http_call import PAYS_AGAIN, Headers, Held, HttpCall
from core.web.http_errors import STORE_TEXT_ID, http_error_from
from core.web.kling import envelope
from core.web.kling.creates import Create
from core.web.studio_bridge import StudioBridge
from core.work.generations.references import prepare_reference_soon

PICTURE_BODY_BYTES = 15 * 1024 * 1024
IDEMPOTENCY_HEADER = "idempotency-key"
KEY_MOST = 200

# The studio queues what Kling has no place for; so long a caller waits for its turn.
SEND_TIMEOUT_S = 60.0
# Where nothing can be reached or written at all, nobody waits that long.
OFFLINE_TIMEOUT_S = 5.0
# How long the sending itself may take after that: it has its own, longer limits, and an answer that
# does not tell is looked up for a while before it is sent a second time.
SENDING_TIMEOUT_S = 60.0
_LOOK_FIRST_S = 0.02
_LOOK_MOST_S = 0.25
RETRY_SOON_S = 5

_Body = Callable[[Language], envelope.Envelope]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: status and body, in Kling's shape."""

    status: int
    body: _Body  # repeats of one request wait together, and each may read another language
    headers: Headers = ()


@dataclass(slots=True)
class _Timeouts:
    """How long a request has waited unsent, and how long for what nobody can get through."""

    waiting_since: float | None = None
    offline_since: float | None = None

    def is_over(self, now: float, *, is_waiting: bool, is_offline: bool) -> bool:
        """Note how it stands now; tell whether the request is to be taken back."""
        if not is_waiting:
            self.waiting_since = self.offline_since = None
            return False
        self.waiting_since = now if self.waiting_since is None else self.waiting_since
        if not is_offline:
            self.offline_since = None
        elif self.offline_since is None:
            self.offline_since = now
        is_long = now - self.waiting_since > SEND_TIMEOUT_S
        return is_long or (
            self.offline_since is not None and now - self.offline_since > OFFLINE_TIMEOUT_S
        )


async def refuse_budget(call: HttpCall, error: BudgetError) -> None:
    """Answer that no budget has room, as Kling says that a package is used up."""
    told = http_error_from(error, call.language)
    refusal = envelope.refusal(402, told.sentence, call.request_id)
    await call.reply_json(402, refusal, told.headers)


class KlingCreate:
    """Buys pictures for callers of the HTTP layer."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge
        self._waits: dict[str, asyncio.Task[Outcome]] = {}

    async def create(self, call: HttpCall, kind: Create) -> None:
        """Answer a create request of a kind once the task exists, or is refused."""
        try:
            with self._bridge.body_room.hold() as held:
                generation, is_keyed = await self._written(call, kind, held)
            outcome = await self.outcome(call.owner, generation.id, is_keyed=is_keyed)
        except InputError as error:
            refusal = envelope.error(envelope.PARAMETERS_CODE, error.sentence(call.language))
            await call.reply_json(400, refusal)
            return
        except BudgetError as error:
            await refuse_budget(call, error)
            return
        except AppError as error:
            await call.reply_json(503, _error(error, call.language))
            return
        await call.reply_json(outcome.status, outcome.body(call.language), outcome.headers)

    async def _written(self, call: HttpCall, kind: Create, held: Held) -> tuple[Generation, bool]:
        """Write down what a body asks for; tell, too, whether a repeat would find it again."""
        body = await call.json_object(most_bytes=PICTURE_BODY_BYTES, held=held)
        key = call.headers.get(IDEMPOTENCY_HEADER, "").strip()
        asked = await asyncio.to_thread(kind.read, body)
        check_fields(asked.request)
        # Not in threads of those that look into the database: it takes its time.
        references = [
            await asyncio.wrap_future(prepare_reference_soon(picture)) for picture in asked.pictures
        ]
        if len(key) > KEY_MOST:
            raise InputError(
                "Idempotency-Key", "error.idempotency_key_too_long", facts={"limit": KEY_MOST}
            )
        own_id = asked.external_task_id
        generation = await self.write(
            call,
            asked.request,
            references,
            key=key or None,
            external_task_id=own_id,
            message_id=asked.message_id,
        )
        return generation, bool(key) or own_id is not None

    async def write(
        self,
        call: HttpCall,
        request: GenerationRequest,
        references: Sequence[ReferenceImage],
        *,
        key: str | None,
        external_task_id: str | None = None,
        message_id: str | None = None,
    ) -> Generation:
        """Write a request down, to be sent.

        InputError where it breaks a rule, BudgetError where no budget has room for it.
        """
        generation = await asyncio.to_thread(
            self._bridge.studio.generations.request,
            call.owner,
            request,
            references=references,
            origin="http",
            external_task_id=external_task_id,
            idempotency_key=key,
            caller=call.caller,
            message_id=message_id,
        )
        call.pays_again = key is None and external_task_id is None
        return generation

    async def outcome(self, owner: str, generation_id: str, *, is_keyed: bool) -> Outcome:
        """Return what became of a request, once it is known; its repeats wait together."""
        wait = self._waits.get(generation_id)
        if wait is None:
            wait = asyncio.create_task(self._wait(owner, generation_id, is_keyed=is_keyed))
            self._waits[generation_id] = wait
            wait.add_done_callback(partial(self._forget, generation_id))
        return await asyncio.shield(wait)

    def _forget(self, generation_id: str, _wait: "asyncio.Task[Outcome]") -> None:
        del self._waits[generation_id]

    async def _wait(self, owner: str, generation_id: str, *, is_keyed: bool) -> Outcome:
        clock = asyncio.get_running_loop().time
        began, pause_s = clock(), _LOOK_FIRST_S
        timeouts = _Timeouts()
        while True:
            try:
                generation = await asyncio.to_thread(
                    self._bridge.studio.store.generations.load, generation_id
                )
            except StoreError:
                return _unknown(503, STORE_TEXT_ID, is_keyed=is_keyed)
            if generation is None:
                return Outcome(404, _refusal("http.wish_deleted", code=TASK_MISSING))
            if (outcome := _settled(generation)) is not None:
                return outcome
            is_waiting = (
                generation.status is GenerationStatus.INTENDED and generation.sending_at is None
            )
            if self._bridge.studio.is_closing:
                return await self._leave(owner, generation_id, is_keyed=is_keyed)
            blocking_error = _offline(self._bridge.studio.generations.blocking_error(generation_id))
            if timeouts.is_over(
                clock(), is_waiting=is_waiting, is_offline=blocking_error is not None
            ):
                outcome = await self._give_up(owner, generation, blocking_error, is_keyed=is_keyed)
                if outcome is not None:
                    return outcome
            elif not is_waiting and clock() - began > SEND_TIMEOUT_S + SENDING_TIMEOUT_S:
                return _unknown(
                    504, "http.wish_unclear", is_keyed=is_keyed, code=envelope.TIMEOUT_CODE
                )
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LOOK_MOST_S)

    async def _give_up(
        self, owner: str, generation: Generation, blocking_error: AppError | None, *, is_keyed: bool
    ) -> Outcome | None:
        """Take the request back, so that nothing is bought behind the caller's back.

        Under a key it can be asked for again: the same request is sent then.
        """
        rest_s = self._bridge.studio.generations.rest_left_s(generation)
        later = (("Retry-After", str(max(RETRY_SOON_S, math.ceil(rest_s)))),)
        if is_keyed and blocking_error is None:
            return Outcome(429, _refusal("http.wish_queued", code=FULL_CODE), later)
        try:
            is_back = await asyncio.to_thread(
                self._bridge.studio.generations.cancel, owner, generation.id
            )
        except StoreError:
            return _unknown(503, STORE_TEXT_ID, is_keyed=is_keyed)
        if not is_back:
            return None  # it is being sent at this moment: its outcome is worth waiting for
        if blocking_error is not None:
            return Outcome(502, partial(_error, blocking_error), later)
        return Outcome(429, _refusal("http.wish_given_up", code=FULL_CODE), later)

    async def _leave(self, owner: str, generation_id: str, *, is_keyed: bool) -> Outcome:
        """Answer while the studio is being closed: the row stands as it is, or is taken back."""
        cancel = self._bridge.studio.store.generations.cancel
        with suppress(AppError):
            if not is_keyed and await asyncio.to_thread(cancel, owner, generation_id):
                headers = (("Retry-After", str(RETRY_SOON_S)),)
                return Outcome(503, _refusal("http.wish_taken_back"), headers)
        return _unknown(503, "http.wish_kept", is_keyed=is_keyed)


def _offline(blocking_error: AppError | None) -> AppError | None:
    """Return what keeps every request from being sent; None for what one request met by itself."""
    is_so = isinstance(blocking_error, StoreError) or (
        isinstance(blocking_error, UnavailableError) and blocking_error.is_unsent
    )
    return blocking_error if is_so else None


def _refusal(text_id: str, *, code: int = envelope.FAULT_CODE) -> _Body:
    return lambda language: envelope.error(code, text(language, text_id))


def _error(error: AppError, language: Language) -> envelope.Envelope:
    return envelope.error(envelope.FAULT_CODE, http_error_from(error, language).sentence)


def _unclear(error: AppError, language: Language) -> envelope.Envelope:
    return envelope.error(envelope.TIMEOUT_CODE, error.sentence(language))


def _unknown(
    status: int, text_id: str, *, is_keyed: bool, code: int = envelope.FAULT_CODE
) -> Outcome:
    """Return the reply for a request that may be bought yet: without a key a repeat pays again."""
    headers = (("Retry-After", str(RETRY_SOON_S)),) if is_keyed else (PAYS_AGAIN,)
    return Outcome(status, _refusal(text_id, code=code), headers)


def _settled(generation: Generation) -> Outcome | None:
    """Return the reply for a request whose fate is known."""
    if generation.task_id is not None:
        return Outcome(200, lambda _: envelope.created(generation))
    if generation.status is GenerationStatus.REFUSED:
        return Outcome(envelope.refused_status(generation), partial(envelope.refused, generation))
    if generation.status is GenerationStatus.FAILED:  # nobody can tell what became of it
        text_id = generation.error_text_id or "http.wish_unclear"
        told = AppError(text_id, facts=generation.error_facts)
        return Outcome(504, partial(_unclear, told), (PAYS_AGAIN,))
    if generation.status is GenerationStatus.CANCELLED:
        return Outcome(400, _refusal("http.wish_cancelled", code=envelope.PARAMETERS_CODE))
    return None
