"""The Kling client: create, look up and list tasks, and see what the account has left.

A request that makes something is sent once. Which errors mean "nothing was created" is the errors'
classes' business: AuthenticationError, QuotaExceededError, RateLimitError and RejectedError are
certain, UnavailableError and ProtocolError leave it open.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from core.errors import InputError, ProtocolError
from core.models.accounts import KlingApiKey, KlingKeyPair
from core.models.generations import GenerationRequest, KlingTask, ReferenceImage, TaskStatus
from core.models.image_rules import REFERENCE_MOST_BYTES
from core.models.kinds import KINDS
from core.providers.http.pace import Pace
from core.providers.kling.account import KlingAccount
from core.providers.kling.endpoints import ENDPOINTS
from core.providers.kling.errors import (
    no_such_task,
    no_task_id,
)
from core.providers.kling.signed_calls import CREATE_TIMEOUT_S, KlingReply, Reply, SignedCalls
from core.providers.kling.wire import (
    create_body,
    task_from_json,
)
from core.settings.outside.network import Network

PAGE_SIZE_MOST = 500


class Kling:
    """One account at one origin; keys belong to one site, so the host must fit the key."""

    def __init__(
        self,
        *,
        origin: str,
        credentials: KlingApiKey | KlingKeyPair,
        practice: bool = False,
        clock: Callable[[], float] = time.time,
        network: Network | None = None,
        client: httpx.AsyncClient | None = None,
        billing_pace: Pace | None = None,
    ) -> None:
        self.practice = practice
        self.has_key_pair = isinstance(credentials, KlingKeyPair)  # the newer paths take none
        self._calls = SignedCalls(
            origin=origin, credentials=credentials, clock=clock, network=network, client=client
        )
        self.account = KlingAccount(self._calls, billing_pace=billing_pace)

    async def create_task(
        self,
        request: GenerationRequest,
        *,
        external_task_id: str,
        references: Sequence[ReferenceImage] = (),
    ) -> KlingTask:
        """Send one create request, after checking everything that can be known beforehand."""
        _check(request, references)
        # Encoding a large picture would hold up every other stream of the loop.
        body = await asyncio.to_thread(
            create_body, request, external_task_id=external_task_id, references=references
        )
        path = ENDPOINTS[request.kind].path
        reply = await self._calls.call("POST", path, body=body, timeout_s=CREATE_TIMEOUT_S)
        return self._task(reply, request.kind, external_task_id)

    async def get_task(self, kind: str, any_id: str) -> KlingTask:
        """Return the task of that `task_id` or `external_task_id`."""
        if not any_id.strip("."):
            raise no_such_task(host=self._calls.host)  # "." and ".." would leave the path
        path = f"{ENDPOINTS[kind].path}/{quote(any_id, safe='')}"
        reply = await self._calls.call("GET", path, is_lookup=True)
        task = self._task(reply, kind, any_id)
        if task.status is TaskStatus.SUCCEED and not task.images:
            raise self._calls.lacks("a picture", reply)
        return task

    async def list_tasks(
        self, kind: str, *, page: int = 1, page_size: int = 30
    ) -> tuple[KlingTask, ...]:
        """Return one page of the account's tasks of a kind, whatever state they are in.

        One whose id cannot be read has an empty one.
        """
        size = min(max(page_size, 1), PAGE_SIZE_MOST)
        path = f"{ENDPOINTS[kind].path}?pageNum={page}&pageSize={size}"
        reply = await self._calls.call("GET", path)
        if not isinstance(reply.data, list):
            raise self._calls.lacks("a list of tasks", reply)
        tasks: list[KlingTask] = []
        for entry in reply.data:
            task = task_from_json(entry, kind, request_id=reply.request_id, is_listed=True)
            if task is None:
                # An entry passed over could be the one that is searched for, and be bought again.
                raise self._calls.lacks("a readable list of tasks", reply)
            tasks.append(task)
        return tuple(tasks)

    def lacks_task_id(self) -> ProtocolError:
        """Return the error for a listed task that is known by our own id only."""
        return no_task_id(host=self._calls.host)

    async def forward(
        self, method: str, target: str, *, body: bytes = b"", content_type: str | None = None
    ) -> KlingReply:
        """Send a request of somebody else's making, and return the reply as it is.

        `target` is path and query as they stand in the request line; the caller has checked them.
        """
        return await self._calls.forward(method, target, body=body, content_type=content_type)

    def data_of(self, reply: KlingReply) -> Any:
        """Return the data of a forwarded reply; raises what another code stands for."""
        return self._calls.data_of(reply)

    def now(self) -> datetime | None:
        """Return the time by Kling's own clock, from its last reply; None when it never told."""
        return self._calls.now()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._calls.aclose()

    def _task(self, reply: Reply, kind: str, any_id: str) -> KlingTask:
        task = task_from_json(reply.data, kind, request_id=reply.request_id)
        if task is None:
            raise self._calls.lacks("a task", reply)
        if any_id != task.task_id and task.external_task_id not in (None, any_id):
            raise self._calls.lacks("the task that was asked for", reply)
        return task


def _check(request: GenerationRequest, references: Sequence[ReferenceImage]) -> None:
    """Check what can be told without decoding a picture; its size was checked where it came."""
    if request.reference_count != len(references):
        raise InputError("image", "error.reference_missing")
    KINDS[request.kind].check(request)
    for reference in references:
        if len(reference.content) <= REFERENCE_MOST_BYTES:
            continue
        limit_mb = REFERENCE_MOST_BYTES // (1024 * 1024)
        size_mb = f"{len(reference.content) / 1024 / 1024:.1f}"
        raise InputError(
            "image", "error.reference_too_large", facts={"size_mb": size_mb, "limit_mb": limit_mb}
        )
