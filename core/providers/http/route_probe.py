"""Route probes: is a host's name known, does it answer, is its certificate believed.

Nothing is asked of it: a connection and a TLS handshake, or one request for a free path by proxy.
"""

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Literal

import httpx

from core.errors import ConfigurationError
from core.providers.http.client import build_client
from core.providers.http.routing import BarredError, ProxyFailedError
from core.settings.outside.network import Network
from core.settings.outside.proxy import Proxy

Step = Literal["name", "connect", "certificate", "tls"]


@dataclass(frozen=True, slots=True)
class Route:
    """How far the way to a host was open: `failed` is the step that was not."""

    host: str
    port: int
    failed: Step | None
    took_s: float
    detail: str = ""


async def probe_direct(url: str, network: Network, *, timeout_s: float) -> Route:
    """Connect to a URL's host without any proxy, and shake hands where it is https."""
    parts = httpx.URL(url)
    host, port = parts.host, parts.port or (443 if parts.scheme == "https" else 80)
    began = time.perf_counter()
    step: Step = "name"
    detail = ""
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            step = "connect"
            _, writer = await asyncio.open_connection(host, port)
            try:
                if parts.scheme == "https":
                    step = "tls"
                    await writer.start_tls(network.ssl_context(), server_hostname=host)
            finally:
                writer.transport.abort()
    except ssl.SSLCertVerificationError as error:
        step, detail = "certificate", error.verify_message
    except (OSError, TimeoutError, UnicodeError) as error:
        detail = type(error).__name__
    except ConfigurationError:
        step = "certificate"
    else:
        return Route(host, port, None, time.perf_counter() - began)
    return Route(host, port, step, time.perf_counter() - began, detail)


async def probe_proxied(
    url: str, network: Network, *, timeout_s: float
) -> ConfigurationError | Proxy | httpx.HTTPError | None:
    """Ask for a free path as the settings lead there, without a key.

    Return None where any reply came; else what stands in the way: a setting, a proxy, or the rest.
    """
    client = build_client(timeout=httpx.Timeout(timeout_s), network=network)
    try:
        async with asyncio.timeout(timeout_s):
            await client.get(url)
    except BarredError as error:
        return error.problem
    except ProxyFailedError as error:
        return error.proxy
    except httpx.HTTPError as error:
        return error
    except TimeoutError:
        return httpx.ReadTimeout("")
    finally:
        await client.aclose()
    return None
