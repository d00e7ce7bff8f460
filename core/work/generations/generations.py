"""Generations as a person asks for them: checked, written down, cancelled, estimated, recovered."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from core.access.owners import LOCAL_OWNER, may_spend
from core.errors import AppError, InputError
from core.models.generations import (
    UNREADABLE_TEXT_ID,
    Generation,
    GenerationRequest,
    GenerationStatus,
    KlingTask,
    Note,
    Provider,
    ReferenceImage,
    TaskStatus,
)
from core.models.kinds import check_request
from core.models.money.ledger import Spender
from core.providers.kling.client import Kling
from core.providers.kling.errors import BUSY_TEXT_IDS
from core.providers.kling.signed_calls import KlingReply
from core.storage.store import Store
from core.work.generations.estimates import Estimate, estimate
from core.work.generations.kinds.elements import Elements
from core.work.generations.recovery import RecoveryResult, is_ours
from core.work.generations.references import reference_facts
from core.work.generations.worker import GenerationWorker
from core.work.loop import LoopEndedError, LoopThread
from core.work.money.forwarding import Forwarding
from core.work.money.spending import Spending
from core.work.money.task_costs import task_ended

VISITOR_OPEN_MOST = 2


@dataclass(frozen=True, slots=True)
class ImageService:
    """Who draws: Kling, or the practice provider."""

    provider: Provider
    worker: GenerationWorker
    kling: Kling


class Generations:
    """The use cases around paid pictures; the workers do the rest."""

    def __init__(
        self,
        *,
        loop: LoopThread,
        store: Store,
        service: Callable[[str], ImageService],
        spending: Spending,
        workers: Callable[[], tuple[GenerationWorker, ...]],
    ) -> None:
        self._loop = loop
        self._store = store
        self._service = service
        self._spending = spending
        self._forwarding = Forwarding(store.ledger, spending)
        self._workers = workers
        self.elements = Elements(loop.call, self.forward, self._data_of)

    def request(
        self,
        owner: str,
        request: GenerationRequest,
        *,
        references: Sequence[ReferenceImage] = (),
        origin: Literal["page", "http"] = "page",
        external_task_id: str | None = None,
        idempotency_key: str | None = None,
        caller: str = "page",
        message_id: str | None = None,
    ) -> Generation:
        """Check a request, write it down, and let it be sent; InputError before anything is.

        `message_id` is the owner's message that it is drawn from. BudgetError where no budget has
        room for it.
        """
        check_request(request, [reference_facts(one) for one in references])
        service = self._service(owner)
        if not may_spend(owner):
            self._check_visitor(owner)
        generation = self._store.intents.create(
            owner,
            request,
            provider=service.provider,
            origin=origin,
            external_task_id=external_task_id,
            idempotency_key=idempotency_key,
            references=references,
            message_id=message_id,
            reservation=self._spending.for_task(
                Spender(owner, caller, origin), service.provider, request
            ),
        )
        self._post(service.worker.wake)
        return generation

    def _post(self, callback: Callable[[], object]) -> None:
        # The loop ends before the last page and the last caller: the row says what is to be done.
        with suppress(LoopEndedError):
            self._loop.post(callback)

    def _check_visitor(self, owner: str) -> None:
        # Practice pictures cost the owner's disk and processor: strangers wait for their last ones.
        open_ones = self._store.generation_lists.list(
            owner, active_only=True, limit=VISITOR_OPEN_MOST
        )
        if len(open_ones.items) >= VISITOR_OPEN_MOST:
            raise InputError("prompt", "error.visitor_busy", facts={"limit": VISITOR_OPEN_MOST})

    def cancel(self, owner: str, generation_id: str) -> bool:
        """Cancel a generation that waits; False when it was sent already (Kling has no cancel)."""
        if not self._store.generations.cancel(owner, generation_id):
            return False
        for worker in self._workers():
            self._post(partial(worker.drop, generation_id))
        return True

    def fetch_again(self, owner: str, generation_id: str) -> bool:
        """Fetch files again that could not be read; buys nothing. False when there are none."""
        again = self._store.expected_pictures.fetch_again
        if not again(owner, generation_id, if_ended_as=UNREADABLE_TEXT_ID):
            return False
        for worker in self._workers():
            self._post(worker.wake)
        return True

    def recover(self, owner: str) -> RecoveryResult:
        """Write down what the account made in the last 30 days and is not known here.

        The worker then fetches the pictures; nothing is bought. Kling does not tell the prompts.
        """
        service = self._service(owner)
        tasks = self._loop.call(service.worker.recent_tasks())
        ours = [task for task in tasks if is_ours(task) and task.status is not TaskStatus.FAILED]
        written = [self._adopt(owner, task, service.provider) for task in ours]
        self._loop.post(service.worker.wake)
        new = sum(generation is not None for generation in written)
        elsewhere = sum(not is_ours(task) for task in tasks)
        return RecoveryResult(found=len(ours), new=new, known=len(ours) - new, elsewhere=elsewhere)

    def _adopt(self, owner: str, task: KlingTask, provider: Provider) -> Generation | None:
        """Write a task down that nobody knew here, and what it cost."""
        generation = self._store.intents.adopt_task(owner, task, provider=provider)
        if generation is not None:
            line = self._spending.recovered(owner, provider, generation)
            has_ended = task.status in (TaskStatus.SUCCEED, TaskStatus.FAILED)
            self._store.ledger.add(line)
            if has_ended:
                settle = task_ended(task, failed=task.status is TaskStatus.FAILED)
                self._store.ledger.settle({line.id: settle})
        return generation

    def blocking_error(self, generation_id: str) -> AppError | None:
        """Return what keeps an open generation from going on at the moment, if anything does."""
        blocking_errors = (worker.blocking_error(generation_id) for worker in self._workers())
        return next(
            (blocking_error for blocking_error in blocking_errors if blocking_error is not None),
            None,
        )

    def rest_left_s(self, generation: Generation) -> float:
        """Return how long the queue it waits in rests yet; from any thread."""
        return self._service(generation.owner).worker.rest_left_s(generation.request.package)

    def refusal_for_now(self, generation: Generation) -> Note | None:
        """Return how busy Kling was when a task that waits was sent the last time."""
        if generation.status is not GenerationStatus.INTENDED or not generation.attempts:
            return None
        events = self._store.generations.history(generation.owner, generation.id)
        # The very newest may be that it is being sent once more.
        notes = (event.note for event in events[-2:] if isinstance(event.note, Note))
        return next((note for note in notes if note.text_id in BUSY_TEXT_IDS), None)

    async def forward(
        self,
        method: str,
        target: str,
        *,
        body: bytes,
        content_type: str | None,
        spender: Spender,
    ) -> KlingReply:
        """Send a request on to Kling as it is, signed with the studio's key. On the loop.

        BudgetError where it can cost and no budget has room for it.
        """
        service = await asyncio.to_thread(self._service, LOCAL_OWNER)
        return await self._forwarding.forward(
            service.kling,
            service.provider,
            spender,
            method,
            target,
            body=body,
            content_type=content_type,
        )

    @property
    def has_key_pair(self) -> bool:
        """Whether the account is used by a key pair, which Kling's newer paths do not take."""
        return self._service(LOCAL_OWNER).kling.has_key_pair

    def _data_of(self, reply: KlingReply) -> Any:
        return self._service(LOCAL_OWNER).kling.data_of(reply)

    def estimate(self, owner: str, request: GenerationRequest) -> Estimate | None:
        """Return how long such a task usually takes here; None until enough have finished."""
        return estimate(self._service(owner).worker.durations(request))
