"""Signed calls to one Kling account: the token, the envelope, the errors, and Kling's own clock."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from core.errors import AuthenticationError
from core.models.accounts import KlingApiKey, KlingKeyPair
from core.providers.http.client import build_client, http_date, json_object, transport_error
from core.providers.http.redaction import opaque_id
from core.providers.kling.errors import (
    EXPIRED,
    NOT_YET_VALID,
    error_from_code,
    error_without_code,
    wrong_shape,
)
from core.providers.kling.fields import code_from_json, mapping
from core.providers.kling.wire import (
    PROVIDER,
)
from core.settings.outside.network import Network
from core.wire.kling_jwt import TokenSource

# A reference picture travels as 13 MB of base64; the whole call is bounded besides each read.
CREATE_TIMEOUT_S = 180
LOOKUP_TIMEOUT_S = 45
TIMEOUT = httpx.Timeout(connect=10, read=40, write=60, pool=10)


class Reply(NamedTuple):
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


class SignedCalls:
    """Sends requests under one account's key to one origin."""

    def __init__(
        self,
        *,
        origin: str,
        credentials: KlingApiKey | KlingKeyPair,
        clock: Callable[[], float] = time.time,
        network: Network | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._origin = origin.rstrip("/")
        self.host = urlsplit(origin).netloc.rpartition("@")[2]
        self._tokens = TokenSource(credentials)
        self._secrets = (
            (credentials.value,)
            if isinstance(credentials, KlingApiKey)
            else (credentials.secret_key, credentials.access_key)
        )
        self._clock = clock
        # Kling's time, and the monotonic clock's then.
        self._server_time: tuple[float, float] | None = None
        self._client = client or build_client(timeout=TIMEOUT, network=network)

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        is_lookup: bool = False,
        timeout_s: float = LOOKUP_TIMEOUT_S,
    ) -> Reply:
        """Call an endpoint; return what its envelope holds, or raise what its code stands for."""
        reply, envelope = await self._exchange(
            method, self._origin + path, body, "application/json", timeout_s
        )
        code = code_from_json(envelope.get("code"))
        if code is None:
            raise error_without_code(
                reply, host=self.host, secrets=self._hidden(), now=self._clock()
            )
        request_id = envelope.get("request_id")
        request_id = opaque_id(request_id)
        if code != 0:
            raise self._refusal(code, envelope.get("message"), reply, request_id, is_lookup)
        if envelope.get("data") is None:
            if reply.status_code >= 500:
                raise error_without_code(
                    reply, host=self.host, secrets=self._hidden(), now=self._clock()
                )
            raise self.lacks("data", Reply(None, request_id, reply))
        return Reply(envelope["data"], request_id, reply)

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
                http, host=self.host, secrets=self._hidden(), now=self._clock()
            )
        if code != 0:
            request_id = opaque_id(envelope.get("request_id"))
            raise self._refusal(code, envelope.get("message"), http, request_id)
        return envelope.get("data")

    def now(self) -> datetime | None:
        """Return the time by Kling's own clock, from its last reply; None when it never told."""
        if self._server_time is None:
            return None
        server_time, at = self._server_time
        return datetime.fromtimestamp(server_time + time.monotonic() - at, UTC)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

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
            raise transport_error(late, provider=PROVIDER, host=self.host) from error
        except httpx.HTTPError as error:
            raise transport_error(error, provider=PROVIDER, host=self.host) from error
        if (server_time := http_date(reply.headers.get("date", ""))) is not None:
            self._server_time = (server_time, time.monotonic())
        return reply

    def _token(self) -> str:
        token = self._tokens.token(now=self._clock()).strip()
        if not token or not token.isascii() or not token.isprintable():
            raise AuthenticationError("error.kling_key_malformed", provider=PROVIDER)
        return token

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
            host=self.host,
            secrets=self._hidden(),
            now=self._clock(),
            request_id=request_id,
            is_lookup=is_lookup,
        )

    def check_inner(self, reply: Reply) -> None:
        """Raise what the account's endpoints say a second time, inside the envelope."""
        inner = mapping(reply.data)
        if code := code_from_json(inner.get("code")):
            raise self._refusal(code, inner.get("msg"), reply.http, reply.request_id)

    def lacks(self, what: str, reply: Reply) -> Exception:
        """Return the error for a reply without what it should hold."""
        return wrong_shape(what, reply=reply.http, host=self.host, request_id=reply.request_id)

    def _hidden(self) -> tuple[str, ...]:
        return (*self._secrets, self._tokens.token(now=self._clock()))
