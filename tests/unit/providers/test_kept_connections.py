"""A kept connection that the server has closed: asked once more, before the first byte only."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from core.errors import UnavailableError
from core.models.chat import ChatParameters, Turn
from core.providers.deepseek.client import DeepSeek
from tests.unit.replies import deltas_in, raw_server, read_request
from tests.upstream import DONE, ending, event

TURNS = [Turn.of_text("user", "q")]
SAID = event(content="a") + ending() + DONE
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
WHOLE = HEAD + f"{len(SAID):x}\r\n".encode() + SAID + b"\r\n0\r\n\r\n"

Answer = Callable[[asyncio.StreamWriter, int], Awaitable[bool]]


@pytest.fixture(autouse=True)
def a_busy_machine_is_no_slow_upstream(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs up does so at once, however late a busy machine hears of it."""
    monkeypatch.setattr("core.providers.http.aiohttp_transport.STALE_S", 60.0)


class Server:
    """Answers requests by a script that says whether the connection stays."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests = 0
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                await read_request(reader)
                self.requests += 1
                if not await self._answer(writer, self.requests):
                    return
        except asyncio.IncompleteReadError:
            return


async def said(provider: DeepSeek) -> str:
    async with provider.stream(TURNS, ChatParameters()) as chunks:
        return "".join([text async for delta in deltas_in(chunks) for text in delta.texts])


CONTINUE = b"HTTP/1.1 102 Processing\r\n\r\n"


async def write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


def run(answer: Answer, job: Callable[[DeepSeek], Awaitable[None]]) -> Server:
    server = Server(answer)

    async def main() -> None:
        async with raw_server(server.serve) as origin, asyncio.timeout(60):
            provider = DeepSeek(url=f"{origin}/v1/chat/completions", api_key="")
            try:
                await job(provider)
            finally:
                await provider.aclose()

    asyncio.run(main())
    return server


def test_questions_back_to_back_are_asked_on_a_new_connection() -> None:
    async def answer(writer: asyncio.StreamWriter, _: int) -> bool:
        await write(writer, WHOLE)
        return False  # it did not say so

    async def job(provider: DeepSeek) -> None:
        assert [await said(provider) for _ in range(5)] == ["a"] * 5

    assert run(answer, job).requests == 5


def test_a_request_that_a_kept_connection_swallowed_is_asked_once_more() -> None:
    async def answer(writer: asyncio.StreamWriter, number: int) -> bool:
        if number == 2:
            return False
        await write(writer, WHOLE)
        return True

    async def job(provider: DeepSeek) -> None:
        assert [await said(provider) for _ in range(3)] == ["a"] * 3

    server = run(answer, job)
    assert (server.requests, server.connections) == (4, 2)


def test_several_connections_closed_in_silence_cost_one_more_request() -> None:
    async def answer(writer: asyncio.StreamWriter, number: int) -> bool:
        if number > 3:
            return False
        await write(writer, WHOLE)
        return True

    async def job(provider: DeepSeek) -> None:
        await asyncio.gather(*(said(provider) for _ in range(3)))
        with pytest.raises(UnavailableError) as caught:
            await said(provider)
        assert caught.value.text_id == "error.network_lost"

    # The fourth is swallowed; asked once more, on a new connection, the fifth is too.
    server = run(answer, job)
    assert server.requests == 5


@pytest.mark.parametrize("sent", [b"HTTP/1.1 200 OK\r\n", HEAD, HEAD + b"5\r\ndata:\r\n"])
def test_behind_the_first_byte_nothing_is_asked_again(sent: bytes) -> None:
    async def answer(writer: asyncio.StreamWriter, number: int) -> bool:
        await write(writer, sent if number == 2 else WHOLE)
        return number != 2

    async def job(provider: DeepSeek) -> None:
        assert await said(provider) == "a"
        with pytest.raises(UnavailableError):
            await said(provider)

    assert run(answer, job).requests == 2


@pytest.mark.parametrize("sent", [b"H", b"HTTP/1.1 200 OK\r\nContent-Type: te", CONTINUE])
@pytest.mark.parametrize("is_reset", [True, False])
def test_behind_the_first_byte_a_broken_line_is_not_asked_again(
    sent: bytes, is_reset: bool
) -> None:
    async def answer(writer: asyncio.StreamWriter, number: int) -> bool:
        await write(writer, sent if number == 2 else WHOLE)
        if number == 2 and is_reset:
            await asyncio.sleep(0.05)  # so that the bytes are there before the reset
            line = writer.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return number != 2

    async def job(provider: DeepSeek) -> None:
        assert await said(provider) == "a"
        with pytest.raises(UnavailableError):
            await said(provider)

    assert run(answer, job).requests == 2


def test_a_new_connection_that_is_closed_is_not_asked_again() -> None:
    async def answer(_writer: asyncio.StreamWriter, _number: int) -> bool:
        return False

    async def job(provider: DeepSeek) -> None:
        with pytest.raises(UnavailableError) as caught:
            await said(provider)
        assert caught.value.text_id == "error.network_lost"

    assert run(answer, job).requests == 1


def test_who_was_heard_for_long_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.providers.http.aiohttp_transport.STALE_S", 0.05)

    async def answer(writer: asyncio.StreamWriter, number: int) -> bool:
        if number == 2:
            await asyncio.sleep(0.2)  # it works on it, and dies
            return False
        await write(writer, WHOLE)
        return True

    async def job(provider: DeepSeek) -> None:
        assert await said(provider) == "a"
        with pytest.raises(UnavailableError):
            await said(provider)

    assert run(answer, job).requests == 2
