"""The transport that sends each request its own way: directly, through a proxy, or not at all."""

import asyncio

import httpx
from socksio.exceptions import SOCKSError

from core.errors import ConfigurationError
from core.providers.http.aiohttp_transport import FastTransport
from core.providers.http.reply import ReplyingTransport
from core.settings.outside.network import Network
from core.settings.outside.proxy import Proxy


class BarredError(httpx.ConnectError):
    """Nothing was sent: what the environment says of the way there cannot be used."""

    def __init__(self, problem: ConfigurationError, request: httpx.Request) -> None:
        super().__init__(str(problem), request=request)
        self.problem = problem


class ProxyFailedError(httpx.ConnectError):
    """Nothing was sent: the proxy was not there, or refused to go on."""

    def __init__(self, proxy: Proxy, request: httpx.Request) -> None:
        super().__init__("the proxy cannot be used", request=request)
        self.proxy = proxy


class RoutedTransport(httpx.AsyncBaseTransport):
    """Looks up the way to each host once, and keeps one pool for each way."""

    def __init__(self, network: Network, *, limits: httpx.Limits, streams: bool) -> None:
        self._network = network
        self._limits = limits
        # aiohttp's sockets for many streams; it knows nothing of proxies.
        self._streams = streams
        self._verify = network.ssl_context()
        self._direct: httpx.AsyncBaseTransport | None = None
        self._through: dict[Proxy, httpx.AsyncBaseTransport] = {}
        self._ways: dict[tuple[str, str], Proxy | ConfigurationError | None] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request on its way: directly, or through its proxy."""
        place = (request.url.scheme, request.url.host)
        if place not in self._ways:
            self._ways[place] = self._network.way_to(*place)
        way = self._ways[place]
        if way is None:
            if self._direct is None:
                self._direct = self._build_direct()
            return await self._direct.handle_async_request(request)
        if isinstance(way, ConfigurationError):
            raise BarredError(way, request)
        if way not in self._through:
            self._through[way] = self._build_through(way)
        try:
            async with asyncio.timeout(
                _total_timeout_s(request) if way.scheme == "socks5" else None
            ):
                return await self._through[way].handle_async_request(request)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the proxy did not answer", request=request) from error
        except (
            *(httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError),
            SOCKSError,  # something that does not speak SOCKS: httpcore lets it pass
        ) as error:
            raise ProxyFailedError(way, request) from error

    async def aclose(self) -> None:
        """Close the transports of every way."""
        for transport in (self._direct, *self._through.values()):
            if transport is not None:
                await transport.aclose()

    def _build_direct(self) -> httpx.AsyncBaseTransport:
        if self._streams:
            return FastTransport(verify=self._verify)
        return ReplyingTransport(verify=self._verify, trust_env=False, limits=self._limits)

    def _build_through(self, proxy: Proxy) -> httpx.AsyncBaseTransport:
        password = proxy.password.reveal() if proxy.password is not None else ""
        return ReplyingTransport(
            verify=self._verify,
            trust_env=False,
            limits=self._limits,
            proxy=httpx.Proxy(
                httpx.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port),
                auth=(proxy.user, password) if proxy.user is not None else None,
                ssl_context=self._verify if proxy.scheme == "https" else None,
            ),
        )


def _total_timeout_s(request: httpx.Request) -> float | None:
    """Return how long a reply's beginning may take in all; httpcore waits for SOCKS for ever."""
    steps = request.extensions.get("timeout", {}).values()
    return None if not steps or None in steps else float(sum(steps))
