"""Fetches result pictures: only from where they may come, complete, or not at all.

A link comes from outside, so it is not trusted: Kling's own hosts are taken as they are, any other
host must be public, and is then connected by the very address that was checked. Neither key nor
cookie nor Referer goes with the request, and no link appears in a message or a log.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import httpx

from core.errors import NotFoundError, PictureError, StoreError, UnavailableError
from core.providers.http.client import build_client, transport_error
from core.providers.kling.addresses import is_picture_host, is_public
from core.providers.kling.picture_files import (
    MAX_PICTURE_BYTES,
    FetchedFile,
    Sniff,
    publish_picture,
    save_picture,
    sniff_media_type,
)
from core.providers.kling.wire import PROVIDER
from core.settings.outside.network import Network

MAX_REDIRECTS = 3
FETCH_TIMEOUT_S = 300
RESOLVE_TIMEOUT_S = 10
HTTPS_PORT = 443
PORT_MOST = 65_535
TIMEOUT = httpx.Timeout(connect=10, read=30, write=30, pool=30)

_REDIRECTS = (301, 302, 303, 307, 308)
_GONE = (403, 404, 410)

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class _Hop(NamedTuple):
    """A checked place to ask; an address stands for the host when it was looked up."""

    url: httpx.URL
    addresses: tuple[str, ...]


class PictureFetcher:
    """Fetches links; `origin` is KLING_API_ORIGIN, whose own host and port are allowed as well."""

    def __init__(
        self,
        origin: str,
        *,
        network: Network | None = None,
        client: httpx.AsyncClient | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._origin = _place(httpx.URL(origin))
        self._client = client or build_client(timeout=TIMEOUT, network=network)
        # Behind a proxy the certificate would be checked against the address: go there directly.
        self._pinned_client = client or build_client(
            timeout=TIMEOUT, proxied=False, network=network
        )
        self._resolve = resolve or _resolve

    async def fetch(
        self,
        url: str,
        destination: Path,
        *,
        max_bytes: int = MAX_PICTURE_BYTES,
        sniff: Sniff = sniff_media_type,
    ) -> FetchedFile:
        """Fetch the file behind `url` into `destination`, which appears only when complete.

        Raises NotFoundError for a stale link, UnavailableError for trouble on the way, PictureError
        for what may not be fetched or is no picture, and StoreError when it cannot be written.
        """
        part = destination.with_name(destination.name + ".part")
        link = _parsed(url)
        host = _host(link)
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S), self._open(link) as reply:
                fetched = await save_picture(reply, part, max_bytes=max_bytes, sniff=sniff)
            await asyncio.to_thread(publish_picture, part, destination)
            return fetched
        except TimeoutError as error:
            late = httpx.ReadTimeout("")
            raise transport_error(late, provider=PROVIDER, host=host) from error
        except httpx.HTTPError as error:
            raise transport_error(error, provider=PROVIDER, host=host) from error
        except OSError as error:
            raise StoreError("error.archive_write", detail=error.strerror or "") from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()
        await self._pinned_client.aclose()

    @asynccontextmanager
    async def _open(self, url: httpx.URL) -> AsyncIterator[httpx.Response]:
        """Ask for `url` and follow redirects by hand, checking each place anew."""
        for _ in range(MAX_REDIRECTS + 1):
            reply = await self._ask(await self._check(url))
            try:
                if reply.status_code not in _REDIRECTS:
                    _expect_ok(reply.status_code)
                    yield reply
                    return
                url = _parsed(reply.headers.get("location", ""), base=url)
            finally:
                await reply.aclose()
        raise PictureError("error.picture_redirects", facts={"limit": MAX_REDIRECTS})

    async def _check(self, url: httpx.URL) -> _Hop:
        host = _host(url)
        if not host or url.userinfo or (url.port or HTTPS_PORT) > PORT_MOST:
            raise _refused(host)
        if _place(url) == self._origin:
            return _Hop(url, ())
        if url.scheme != "https":
            raise _refused(host)
        if is_picture_host(host):
            return _Hop(url, ())
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                addresses = tuple(dict.fromkeys(await self._resolve(host, url.port or HTTPS_PORT)))
        except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
            lost = httpx.ConnectError("")
            raise transport_error(lost, provider=PROVIDER, host=host) from error
        if not addresses or not all(is_public(address) for address in addresses):
            raise _refused(host)
        return _Hop(url, addresses)

    async def _ask(self, hop: _Hop) -> httpx.Response:
        if not hop.addresses:
            return await self._client.send(self._request(self._client, hop, None), stream=True)
        for address in hop.addresses[:-1]:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                request = self._request(self._pinned_client, hop, address)
                return await self._pinned_client.send(request, stream=True)
        request = self._request(self._pinned_client, hop, hop.addresses[-1])
        return await self._pinned_client.send(request, stream=True)

    def _request(self, client: httpx.AsyncClient, hop: _Hop, address: str | None) -> httpx.Request:
        url = hop.url
        # Identity: the length told is then the length of the file.
        headers = {"Accept": "image/*, audio/*", "Accept-Encoding": "identity"}
        extensions = {}
        if address is not None:
            # By the checked address, so a name that changes its mind changes nothing; the
            # certificate is still that of the name.
            headers["Host"] = url.netloc.decode("ascii")
            # Kept open, it could serve another name at this address without its certificate.
            headers["Connection"] = "close"
            extensions["sni_hostname"] = url.raw_host.decode("ascii")
            url = url.copy_with(host=address)
        return client.build_request("GET", url, headers=headers, extensions=extensions)


def _expect_ok(status_code: int) -> None:
    if status_code == 200:
        return
    if status_code in _GONE:
        raise NotFoundError("error.picture_link_gone", provider=PROVIDER, status_code=status_code)
    if status_code >= 500 or status_code in (408, 425, 429):
        raise UnavailableError("error.picture_server", provider=PROVIDER, status_code=status_code)
    raise PictureError("error.picture_refused", facts={"status_code": status_code})


def _refused(host: str) -> PictureError:
    return PictureError("error.picture_host", facts={"host": host or "?"})


def _parsed(url: str, *, base: httpx.URL | None = None) -> httpx.URL:
    """Parse once: what is checked and what is asked for must not be read in two ways."""
    try:
        return httpx.URL(url) if base is None else base.join(url)
    except (httpx.InvalidURL, ValueError):
        raise _refused("") from None  # its message would quote the link


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").rstrip(".").lower()


def _place(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return what makes two URLs go to the same server."""
    return url.scheme, _host(url), url.port


async def _resolve(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
