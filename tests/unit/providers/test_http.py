"""core/providers/http: the client every provider is built on."""

import asyncio
import logging
import socket

import httpx
import pytest

from core.providers.http.aiohttp_transport import RECEIVE_BYTES, FastTransport, ReplyBody
from core.providers.http.client import build_client
from tests.unit.replies import raw_server, read_request


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await read_request(reader)
    answer = b"cookie" if b"cookie:" in head.lower() else b"plain"
    writer.write(
        b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nSet-Cookie: id=1\r\n"
        b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(answer), answer)
    )
    await writer.drain()


def test_loopback_is_reached_directly_whatever_proxy_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    async def run() -> None:
        async with raw_server(serve) as origin, build_client(timeout=httpx.Timeout(5)) as client:
            assert (await client.get(f"{origin}/")).text == "plain"
            # Nothing listens at the proxy: that it is asked shows in the refused connection.
            with pytest.raises(httpx.ConnectError):
                await client.get("http://198.51.100.1/")

    asyncio.run(run())


def test_no_redirect_is_followed_and_no_cookie_kept() -> None:
    async def run() -> None:
        async with raw_server(serve) as origin, build_client(timeout=httpx.Timeout(5)) as client:
            for _ in range(2):
                reply = await client.get(f"{origin}/")
                assert (reply.status_code, reply.text) == (302, "plain")
            assert client.headers["user-agent"] == "inkling"

    asyncio.run(run())


def test_a_stream_reads_little_ahead() -> None:
    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await reader.read()

    async def run() -> None:
        transport = FastTransport(verify=httpx.create_ssl_context())
        async with raw_server(begin) as origin, transport:
            reply = await transport.handle_async_request(httpx.Request("GET", f"{origin}/"))
            assert isinstance(reply.stream, ReplyBody)
            connection = reply.stream.reply.connection
            assert connection is not None
            assert connection.transport is not None
            line = connection.transport.get_extra_info("socket")
            # Linux doubles what it is asked for, for its own needs.
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 2 * RECEIVE_BYTES
            await reply.aclose()

    asyncio.run(run())


async def answer_with(origin: str) -> httpx.Response:
    transport = FastTransport(verify=httpx.create_ssl_context())
    async with transport:
        timeout = {"connect": 1.0, "read": 0.05, "pool": 1.0}
        request = httpx.Request("GET", f"{origin}/", extensions={"timeout": timeout})
        reply = await transport.handle_async_request(request)
        try:
            await reply.aread()
        finally:
            await reply.aclose()
        return reply


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", httpx.ReadError),
        (b"\x00\xff no HTTP at all\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", httpx.ReadError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", httpx.RemoteProtocolError),
        (None, httpx.ReadTimeout),
    ],
)
def test_a_stream_s_transport_fails_with_httpx_s_errors(
    sent: bytes | None, expected: type[httpx.TransportError]
) -> None:
    async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        if sent is None:
            await reader.read()
        else:
            writer.write(sent)

    async def run() -> None:
        async with raw_server(misbehave) as origin:
            with pytest.raises(expected) as caught:
                await answer_with(origin)
            assert not isinstance(caught.value, httpx.ConnectError | httpx.ConnectTimeout)

    asyncio.run(run())


def test_a_stream_s_transport_says_what_was_never_reached() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(httpx.ConnectError):
            asyncio.run(answer_with(f"http://127.0.0.1:{unused.getsockname()[1]}"))


def test_a_stream_s_transport_does_without_a_connection_that_the_server_dropped() -> None:
    served = 0
    begun = asyncio.Event()

    async def serve_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
        await begun.wait()
        begun.clear()
        writer.write(b"k")
        await writer.drain()
        served += 1  # and it hangs up, without having said so

    async def run() -> None:
        transport = FastTransport(verify=httpx.create_ssl_context())
        async with raw_server(serve_once) as origin, transport, asyncio.timeout(60):
            for _ in range(3):
                request = httpx.Request("POST", f"{origin}/", content=b"?")
                reply = await transport.handle_async_request(request)
                assert isinstance(reply.stream, ReplyBody)
                connection = reply.stream.reply.connection
                assert connection is not None
                assert connection.protocol is not None
                line = connection.protocol
                begun.set()
                assert await reply.aread() == b"ok"
                while line.is_connected():
                    await asyncio.sleep(0.01)

    asyncio.run(run())
    assert served == 3


def test_urls_are_not_logged_at_info(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200))
        async with build_client(timeout=httpx.Timeout(5), transport=transport) as client:
            await client.get("https://cdn.klingai.com/a?sig=s3cret")

    logging.getLogger("httpx").setLevel(logging.NOTSET)
    caplog.set_level(logging.INFO)
    asyncio.run(run())
    assert "s3cret" not in caplog.text
