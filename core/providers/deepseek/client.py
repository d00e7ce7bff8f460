"""The chat client: DeepSeek, or any OpenAI-compatible server behind the configured address."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import httpx

from core.errors import AuthenticationError, ProviderError, RejectedError
from core.models.chat import ChatModel, ChatParameters, Turn
from core.models.chat_options import NO_OPTIONS, ChatOptions
from core.models.deltas import Completion, Delta
from core.providers.deepseek.endpoint import ChatEndpoint
from core.providers.deepseek.errors import (
    error_in_stream,
    not_offered,
    retired_model,
    unreadable,
)
from core.providers.deepseek.events.fast_decoder import FastDecoder
from core.providers.deepseek.events.stream import ChunkStream
from core.providers.deepseek.refusal import read_refusal
from core.providers.deepseek.schema_tool import CallAsContent, schema_prompt, with_schema_tool
from core.providers.deepseek.timeouts import (
    StreamTimers,
    TimedBody,
    default_timers,
    silence,
    socket_limit,
    whole_answer_limit,
)
from core.providers.deepseek.wire import (
    PROVIDER,
    RETIRED_MODELS,
    Balance,
    balance_from_json,
    chat_body,
    encode_body,
    models_from_json,
)
from core.providers.http.aiohttp_transport import ONCE
from core.providers.http.client import build_client, json_object, post_request, transport_error
from core.settings.outside.network import Network

WRITE_TIMEOUT_S = 60
LOOKUP_TIMEOUT_S = 20
MISSING = (404, 405)


class DeepSeek:
    """One server's chat API; `url` is its full chat-completions address.

    `practice` marks our own practice server, which speaks DeepSeek's dialect. Without `timers` they
    follow the server: DeepSeek sends comments while one waits, others may be silent for long.
    """

    def __init__(
        self,
        *,
        url: str,
        api_key: str,
        practice: bool = False,
        timers: StreamTimers | None = None,
        network: Network | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._server = ChatEndpoint(url, practice)
        self._url = httpx.URL(url)  # parsed once: that takes longer than building the request
        self._api_key = api_key.strip()
        self._timers = timers or default_timers(self._server)
        self._timeout = httpx.Timeout(
            connect=self._timers.connect_s,
            read=self._timers.socket_silence_s,
            write=WRITE_TIMEOUT_S,
            pool=self._timers.connect_s,
        )
        self._client = client or build_client(timeout=self._timeout, streams=True, network=network)

    @property
    def server(self) -> ChatEndpoint:
        """The endpoint that is asked."""
        return self._server

    @asynccontextmanager
    async def stream(
        self, turns: Sequence[Turn], parameters: ChatParameters, options: ChatOptions = NO_OPTIONS
    ) -> AsyncIterator[ChunkStream]:
        """Ask, and yield the stream of the answer; every way out closes the connection.

        Its batches end when the answer is complete, and raises UnavailableError when it was cut off
        or stood still: what was yielded until then stays good.
        """
        turns, options, reading = self._in_dialect(turns, parameters, options)
        response, waited_s = await self._post(turns, parameters, options, stream=True)
        chunks = ChunkStream(
            response,
            host=self._server.host,
            secrets=(self._api_key,),
            timers=self._timers,
            waited_s=waited_s,
            reading=reading,
        )
        try:
            yield chunks
            await chunks.drain()
        finally:
            chunks.end()
            await response.aclose()

    async def complete(
        self, turns: Sequence[Turn], parameters: ChatParameters, options: ChatOptions = NO_OPTIONS
    ) -> Completion:
        """Ask, and return the whole answer."""
        whole, broken = await self.complete_as_far(turns, parameters, options)
        if broken is not None:
            raise broken
        return whole

    async def complete_as_far(
        self, turns: Sequence[Turn], parameters: ChatParameters, options: ChatOptions = NO_OPTIONS
    ) -> tuple[Completion, ProviderError | None]:
        """Ask for a whole answer; return what came of it, and why that is not all."""
        turns, options, reading = self._in_dialect(turns, parameters, options)
        response, waited_s = await self._post(turns, parameters, options, stream=False)
        reader = TimedBody(response, host=self._server.host, timers=self._timers, waited_s=waited_s)
        # Some servers stream whatever was asked for.
        decoder = FastDecoder(
            host=self._server.host, secrets=(self._api_key,), content_type="application/json"
        )
        deltas: list[Delta] = []
        try:
            reader.wait_for(whole_answer_limit(self._timers), waited_s=waited_s)
            while not decoder.answer.is_ended and (raw := await reader.read()):
                deltas += decoder.feed(raw)
            if not decoder.answer.is_ended:
                deltas += decoder.end()
        except ProviderError as error:
            deltas += decoder.break_off(error)
        finally:
            reader.close()
            await response.aclose()
        told = deltas if reading is None else map(reading.take, deltas)
        return Completion.of(told), decoder.answer.failure

    async def list_models(self) -> tuple[ChatModel, ...]:
        """Return the models the server offers."""
        try:
            payload, body = await self._get(self._server.models_url)
        except RejectedError as error:
            if error.status_code not in MISSING:
                raise
            raise not_offered(error, "error.models_not_offered") from error
        models = models_from_json(payload)
        if models is None:
            raise unreadable(body, host=self._server.host, secrets=(self._api_key,))
        return models

    async def balance(self) -> Balance:
        """Return what is left on the account; NotFoundError where a server does not tell."""
        try:
            payload, body = await self._get(self._server.balance_url)
        except RejectedError as error:
            if error.status_code not in MISSING:
                raise
            raise not_offered(error, "error.balance_not_offered") from error
        balance = balance_from_json(payload)
        if balance is None:
            raise unreadable(body, host=self._server.host, secrets=(self._api_key,))
        return balance

    async def call_tool(self, name: str, body: dict[str, Any], *, limit_s: float) -> dict[str, Any]:
        """Return what one of DeepSeek's own tools says; asked once, for it may be paid for."""
        request = self._client.build_request(
            "POST",
            self._server.tool_url(name),
            content=encode_body(body),
            headers=self._headers(),
            timeout=limit_s,
            extensions={ONCE: True},
        )
        return (await self._sent(request, limit_s))[0]

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _in_dialect(
        self, turns: Sequence[Turn], parameters: ChatParameters, options: ChatOptions
    ) -> tuple[Sequence[Turn], ChatOptions, CallAsContent | None]:
        """Return what is asked of this server, and how its answer is read where that differs."""
        if options.json_schema is None or not self._server.speaks_deepseek:
            return turns, options, None
        if parameters.thinking:
            as_json = replace(options, response_format={"type": "json_object"})
            return [Turn.of_text("system", schema_prompt(options)), *turns], as_json, None
        options, name = with_schema_tool(options)
        return turns, options, CallAsContent(name)

    async def _post(
        self,
        turns: Sequence[Turn],
        parameters: ChatParameters,
        options: ChatOptions,
        *,
        stream: bool,
    ) -> tuple[httpx.Response, float]:
        """Return the open reply, and how long its headers took."""
        server = self._server
        if server.speaks_deepseek and parameters.model in RETIRED_MODELS:
            raise retired_model(parameters.model, host=server.host)
        body = chat_body(server, turns, parameters, stream=stream, options=options)
        is_strict = any(tool["function"].get("strict") for tool in options.tools)
        is_beta = is_strict or (bool(turns) and turns[-1].prefix)
        request = post_request(
            httpx.URL(server.beta_url) if is_beta else self._url,
            encode_body(body),
            self._posted_headers,
            timeout=self._timeout,
        )
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            response = await self._client.send(request, stream=True)
        except httpx.ReadTimeout as error:
            raise silence(socket_limit(self._timers.socket_silence_s), host=server.host) from error
        except httpx.HTTPError as error:
            raise transport_error(error, provider=PROVIDER, host=server.host) from error
        if not response.is_success:
            raise await read_refusal(response, host=self._server.host, secrets=(self._api_key,))
        return response, clock() - began

    async def _get(self, url: str) -> tuple[dict[str, Any], bytes]:
        request = self._client.build_request(
            "GET", url, headers=self._headers(), timeout=LOOKUP_TIMEOUT_S
        )
        return await self._sent(request, LOOKUP_TIMEOUT_S)

    async def _sent(self, request: httpx.Request, limit_s: float) -> tuple[dict[str, Any], bytes]:
        """Return the object that the server answers with, and the bytes of it."""
        try:
            async with asyncio.timeout(limit_s):
                response = await self._client.send(request)
        except TimeoutError as error:
            late = httpx.ReadTimeout("")
            raise transport_error(late, provider=PROVIDER, host=self._server.host) from error
        except httpx.HTTPError as error:
            raise transport_error(error, provider=PROVIDER, host=self._server.host) from error
        if not response.is_success:
            raise await read_refusal(response, host=self._server.host, secrets=(self._api_key,))
        return self._read_object(response.content), response.content

    def _read_object(self, body: bytes) -> dict[str, Any]:
        secrets = (self._api_key,)
        payload = json_object(body)
        if payload is None:
            raise unreadable(body, host=self._server.host, secrets=secrets)
        error = error_in_stream(payload, host=self._server.host, secrets=secrets)
        if error is not None:
            raise error
        return payload

    @cached_property
    def _posted_headers(self) -> httpx.Headers:
        headers = httpx.Headers({**self._client.headers, "host": self._url.netloc.decode()})
        headers.update(self._headers())
        return headers

    def _headers(self) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            # A proxy that compresses holds the text back until its buffer is full.
            "accept-encoding": "identity",
        }
        if not self._api_key:
            return headers  # local servers need none
        if not (self._api_key.isascii() and self._api_key.isprintable()):
            raise AuthenticationError(
                "error.deepseek_key_malformed", provider=PROVIDER, facts={"host": self._server.host}
            )
        headers["authorization"] = f"Bearer {self._api_key}"
        return headers
