"""The Kling client: create, look up and list tasks, and see what the account has left.

A request that makes something is sent once. Which errors mean "nothing was created" is the errors'
classes' business: AuthenticationError, QuotaExceededError, RateLimitError and RejectedError are
certain, UnavailableError and ProtocolError leave it open.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import httpx

from core.errors import AuthenticationError, InputError, ProtocolError
from core.models.accounts import KlingApiKey, KlingKeyPair
from core.models.generations import GenerationRequest, KlingTask, ReferenceImage, TaskStatus
from core.models.image_rules import REFERENCE_MOST_BYTES
from core.models.kinds import KINDS
from core.models.money.charges import BillingRow
from core.providers.http.client import build_client, http_date, json_object, transport_error
from core.providers.http.pace import Pace
from core.providers.http.redaction import opaque_id
from core.providers.kling.billing import (
    BILLING_PATHS,
    ROWS_MOST,
    BillingPage,
    Book,
    billing_from_json,
    billing_request,
)
from core.providers.kling.endpoints import ENDPOINTS
from core.providers.kling.errors import (
    EXPIRED,
    NOT_YET_VALID,
    error_from_code,
    error_without_code,
    no_such_task,
    no_task_id,
    wrong_shape,
)
from core.providers.kling.fields import code_from_json, mapping
from core.providers.kling.wire import (
    PROVIDER,
    AccountCosts,
    costs_from_json,
    create_body,
    task_from_json,
)
from core.settings.network import Network
from core.wire.kling_jwt import TokenSource

COSTS_PATH = "/account/costs"  # without /v1
PAGE_SIZE_MOST = 500
BILLING_INTERVAL_S = 1.0

# A reference picture travels as 13 MB of base64; the whole call is bounded besides each read.
CREATE_TIMEOUT_S = 180
LOOKUP_TIMEOUT_S = 45
TIMEOUT = httpx.Timeout(connect=10, read=40, write=60, pool=10)


class _Reply(NamedTuple):
    """A reply whose code is 0."""

    data: Any
    request_id: str | None
    http: httpx.Response


@dataclass(frozen=True, slots=True)
class KlingReply:
    """A reply as it came, for those who forward it."""

    status_code: int
    content: bytes
    content_type: str | None = None
    retry_after: str | None = None


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
        self._origin = origin.rstrip("/")
        self._host = urlsplit(origin).netloc.rpartition("@")[2]
        self._tokens = TokenSource(credentials)
        self._secrets = (
            (credentials.value,)
            if isinstance(credentials, KlingApiKey)
            else (credentials.secret_key, credentials.access_key)
        )
        self.has_key_pair = isinstance(credentials, KlingKeyPair)  # the newer paths take none
        self._clock = clock
        self._server_time: tuple[float, float] | None = (
            None  # Kling's time, and the monotonic clock's
        )
        self._billing_pace = billing_pace or Pace(BILLING_INTERVAL_S)
        self._client = client or build_client(timeout=TIMEOUT, network=network)

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
        reply = await self._call("POST", path, body=body, timeout_s=CREATE_TIMEOUT_S)
        return self._task(reply, request.kind, external_task_id)

    async def get_task(self, kind: str, any_id: str) -> KlingTask:
        """Return the task of that `task_id` or `external_task_id`."""
        if not any_id.strip("."):
            raise no_such_task(host=self._host)  # "." and ".." would leave the path
        path = f"{ENDPOINTS[kind].path}/{quote(any_id, safe='')}"
        reply = await self._call("GET", path, is_lookup=True)
        task = self._task(reply, kind, any_id)
        if task.status is TaskStatus.SUCCEED and not task.images:
            raise self._lacks("a picture", reply)
        return task

    async def list_tasks(
        self, kind: str, *, page: int = 1, page_size: int = 30
    ) -> tuple[KlingTask, ...]:
        """Return one page of the account's tasks of a kind, whatever state they are in.

        One whose id cannot be read has an empty one.
        """
        size = min(max(page_size, 1), PAGE_SIZE_MOST)
        path = f"{ENDPOINTS[kind].path}?pageNum={page}&pageSize={size}"
        reply = await self._call("GET", path)
        if not isinstance(reply.data, list):
            raise self._lacks("a list of tasks", reply)
        tasks: list[KlingTask] = []
        for entry in reply.data:
            task = task_from_json(entry, kind, request_id=reply.request_id, is_listed=True)
            if task is None:
                # An entry passed over could be the one that is searched for, and be bought again.
                raise self._lacks("a readable list of tasks", reply)
            tasks.append(task)
        return tuple(tasks)

    def lacks_task_id(self) -> ProtocolError:
        """Return the error for a listed task that is known by our own id only."""
        return no_task_id(host=self._host)

    async def costs(self, *, start: datetime, end: datetime) -> AccountCosts:
        """Return the account's packages; free of charge, at most once a second."""
        span = f"start_time={_milliseconds(start)}&end_time={_milliseconds(end)}"
        reply = await self._call("GET", f"{COSTS_PATH}?{span}")
        self._check_inner(reply)
        costs = costs_from_json(reply.data)
        if costs is None:
            raise self._lacks("the packages", reply)
        return costs

    async def billing(
        self,
        book: Book,
        *,
        start: datetime,
        end: datetime,
        cursor: str | None = None,
        limit: int = ROWS_MOST,
    ) -> BillingPage:
        """Return a page of one of the account's books; free of charge, one call a second."""
        await self._billing_pace.turn()
        body = json.dumps(billing_request(start, end, cursor, limit)).encode()
        reply = await self._call("POST", BILLING_PATHS[book], body=body)
        self._check_inner(reply)
        page = billing_from_json(book, reply.data)
        if page is None or (cursor is not None and page.next_cursor == cursor):
            raise self._lacks("the billing rows", reply)
        return page

    async def billing_rows(
        self, book: Book, *, start: datetime, end: datetime, limit: int = ROWS_MOST
    ) -> AsyncIterator[BillingRow]:
        """Yield all rows of a book between two moments, page by page."""
        cursor: str | None = None
        while True:
            page = await self.billing(book, start=start, end=end, cursor=cursor, limit=limit)
            for row in page.rows:
                yield row
            if (cursor := page.next_cursor) is None:
                return

    async def forward(
        self, method: str, target: str, *, body: bytes = b"", content_type: str | None = None
    ) -> KlingReply:
        """Send a request of somebody else's making, and return the reply as it is.

        `target` is path and query as they stand in the request line; the caller has checked them.
        """
        url = httpx.URL(self._origin).copy_with(raw_path=target.encode("ascii"))
        reply, _ = await self._exchange(method, url, body or None, content_type, CREATE_TIMEOUT_S)
        return KlingReply(
            reply.status_code,
            reply.content,
            reply.headers.get("content-type"),
            reply.headers.get("retry-after"),
        )

    def data_of(self, reply: KlingReply) -> Any:
        """Return the data of a forwarded reply; raises what another code stands for."""
        http = httpx.Response(reply.status_code, content=reply.content)
        envelope = json_object(reply.content) or {}
        code = code_from_json(envelope.get("code"))
        if code is None:
            raise error_without_code(
                http, host=self._host, secrets=self._hidden(), now=self._clock()
            )
        if code != 0:
            request_id = opaque_id(envelope.get("request_id"))
            raise self._refusal(code, envelope.get("message"), http, request_id)
        return envelope.get("data")

    async def authorization(self) -> str:
        """Return the Authorization header's value for a request made now."""
        return f"Bearer {self._token()}"

    def now(self) -> datetime | None:
        """Return the time by Kling's own clock, from its last reply; None when it never told."""
        if self._server_time is None:
            return None
        server_time, at = self._server_time
        return datetime.fromtimestamp(server_time + time.monotonic() - at, UTC)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        is_lookup: bool = False,
        timeout_s: float = LOOKUP_TIMEOUT_S,
    ) -> _Reply:
        reply, envelope = await self._exchange(
            method, self._origin + path, body, "application/json", timeout_s
        )
        code = code_from_json(envelope.get("code"))
        if code is None:
            raise error_without_code(
                reply, host=self._host, secrets=self._hidden(), now=self._clock()
            )
        request_id = envelope.get("request_id")
        request_id = opaque_id(request_id)
        if code != 0:
            raise self._refusal(code, envelope.get("message"), reply, request_id, is_lookup)
        if envelope.get("data") is None:
            if reply.status_code >= 500:
                raise error_without_code(
                    reply, host=self._host, secrets=self._hidden(), now=self._clock()
                )
            raise self._lacks("data", _Reply(None, request_id, reply))
        return _Reply(envelope["data"], request_id, reply)

    async def _exchange(
        self,
        method: str,
        url: str | httpx.URL,
        body: bytes | None,
        content_type: str | None,
        timeout_s: float,
    ) -> tuple[httpx.Response, dict[str, Any]]:
        """Send a request, signed; return the reply and the JSON object in it, if there is one."""
        token = self._token()
        reply = await self._send(method, url, token, body, content_type, timeout_s)
        envelope = json_object(reply.content) or {}
        if self._tokens.can_resign and code_from_json(envelope.get("code")) in (
            NOT_YET_VALID,
            EXPIRED,
        ):
            # Refused at the door, so even a create can be sent again; once, by Kling's clock.
            server_now = http_date(reply.headers.get("date", ""))
            token = self._tokens.resign(server_now=server_now, now=self._clock())
            reply = await self._send(method, url, token, body, content_type, timeout_s)
            envelope = json_object(reply.content) or {}
        return reply, envelope

    async def _send(
        self,
        method: str,
        url: str | httpx.URL,
        token: str,
        body: bytes | None,
        content_type: str | None,
        timeout_s: float,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        if content_type is not None:
            headers["Content-Type"] = content_type
        try:
            async with asyncio.timeout(timeout_s):
                reply = await self._client.request(
                    method, url, content=body, headers=headers, timeout=TIMEOUT
                )
        except TimeoutError as error:
            late = httpx.ReadTimeout("")
            raise transport_error(late, provider=PROVIDER, host=self._host) from error
        except httpx.HTTPError as error:
            raise transport_error(error, provider=PROVIDER, host=self._host) from error
        if (server_time := http_date(reply.headers.get("date", ""))) is not None:
            self._server_time = (server_time, time.monotonic())
        return reply

    def _token(self) -> str:
        token = self._tokens.token(now=self._clock()).strip()
        if not token or not token.isascii() or not token.isprintable():
            raise AuthenticationError("error.kling_key_malformed", provider=PROVIDER)
        return token

    def _task(self, reply: _Reply, kind: str, any_id: str) -> KlingTask:
        task = task_from_json(reply.data, kind, request_id=reply.request_id)
        if task is None:
            raise self._lacks("a task", reply)
        if any_id != task.task_id and task.external_task_id not in (None, any_id):
            raise self._lacks("the task that was asked for", reply)
        return task

    def _refusal(
        self,
        code: int,
        message: object,
        reply: httpx.Response,
        request_id: str | None,
        is_lookup: bool = False,
    ) -> Exception:
        return error_from_code(
            code,
            message,
            reply=reply,
            host=self._host,
            secrets=self._hidden(),
            now=self._clock(),
            request_id=request_id,
            is_lookup=is_lookup,
        )

    def _check_inner(self, reply: _Reply) -> None:
        """Raise what the account's endpoints say a second time, inside the envelope."""
        inner = mapping(reply.data)
        if code := code_from_json(inner.get("code")):
            raise self._refusal(code, inner.get("msg"), reply.http, reply.request_id)

    def _lacks(self, what: str, reply: _Reply) -> Exception:
        return wrong_shape(what, reply=reply.http, host=self._host, request_id=reply.request_id)

    def _hidden(self) -> tuple[str, ...]:
        return (*self._secrets, self._tokens.token(now=self._clock()))


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


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
