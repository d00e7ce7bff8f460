"""A chat server and a Kling on raw sockets, and a front: each as faulty as a test asks for."""

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import formatdate

import jwt

from core.work.checkup.front import BEAT_EVERY_S
from tests.raw_server import RawServer

CHAT_KEY = "sk-canary0123456789abcdef0123"
API_KEY = "klingapikeycanary0123456789abcdef"
PAIR = ("AccessCanary0123456789abcdefghij", "SecretCanary0123456789abcdefghij")
MODELS = {"object": "list", "data": [{"id": "deepseek-flash"}, {"id": "deepseek-v4-pro"}]}
BALANCE = {
    "is_available": True,
    "balance_infos": [{"currency": "CNY", "total_balance": "8.50"}],
}
PACK = {"resource_pack_name": "Images", "resource_pack_id": "1", "status": "online"}


def costs(*packs: Mapping[str, object]) -> dict[str, object]:
    inner = {"code": 0, "msg": "success", "resource_pack_subscribe_infos": list(packs)}
    return {"code": 0, "message": "SUCCEED", "data": inner}


class Provider(RawServer):
    """DeepSeek's and Kling's free calls; everything that was asked is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str]] = []
        self.clock_shift_s = 0.0
        self.is_silent = False
        self.accepts = {API_KEY}
        # By path: another status and body than usual.
        self.says: dict[str, tuple[int, object]] = {}

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, target, _ = head.split(" ", 2)
                path = target.partition("?")[0].removeprefix(self.origin)
                self.asked.append((method, path))
                if self.is_silent:
                    await asyncio.sleep(60)
                headers = dict(line.split(": ", 1) for line in head.split("\r\n") if ": " in line)
                lower = {name.lower(): value for name, value in headers.items()}
                token = lower.get("authorization", "").removeprefix("Bearer ")
                writer.write(self._reply(*self._answer(path, token)))
                await writer.drain()
        writer.close()

    def _answer(self, path: str, token: str) -> tuple[int, object]:
        if path in self.says:
            return self.says[path]
        if path == "/account/costs":
            if self._knows(token):
                return 200, costs(PACK)
            return 401, {"code": 1002, "message": f"authorization {token} is invalid"}
        if token != CHAT_KEY:
            return 401, {"error": {"message": f"bad key {token}", "code": "invalid_api_key"}}
        return 200, MODELS if path == "/models" else BALANCE

    def _knows(self, token: str) -> bool:
        if token in self.accepts:
            return True
        with suppress(jwt.PyJWTError):
            claims = jwt.decode(token, PAIR[1], algorithms=["HS256"])
            return "pair" in self.accepts and claims.get("iss") == PAIR[0]
        return False

    def _reply(self, status: int, body: object) -> bytes:
        text = body if isinstance(body, str) else json.dumps(body)
        kind = "text/html" if isinstance(body, str) else "application/json"
        date = formatdate(time.time() + self.clock_shift_s, usegmt=True)
        head = f"HTTP/1.1 {status} X\r\nDate: {date}\r\nContent-Type: {kind}\r\n"
        return f"{head}Content-Length: {len(text.encode())}\r\n\r\n{text}".encode()


class SelfSigned(RawServer):
    """Shakes hands with a certificate that nobody believes."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()
        self._context = context

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            await writer.start_tls(self._context)
        writer.close()


class Front(RawServer):
    """What stands before a studio: passes on, or keeps back, what a test asks for."""

    def __init__(self, *, base: str = "", fault: str = "") -> None:
        super().__init__()
        self._base, self._fault = base, fault
        self.beats = 0  # how often they were asked for

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ")[1]
            if path == f"{self._base}/healthz" and self._fault != "another":
                await self._say(writer, 200, [b'{"status": "ok"}'])
            elif path == f"{self._base}/checkup/beat":
                status = 403 if self._fault == "token" else 200
                self.beats += 1
                await self._say(writer, status, [b"data: beat\n\n"] * 6)
            elif path == f"{self._base}/_stcore/stream" and self._fault != "websocket":
                await self._say(writer, 101, [])
            else:
                await self._say(writer, 404, [b"<html>"])
        writer.close()

    async def _say(self, writer: asyncio.StreamWriter, status: int, pieces: list[bytes]) -> None:
        is_held = self._fault == "buffers" or self._fault == f"busy {self.beats}"
        writer.write(f"HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        held = b""
        for number, piece in enumerate(pieces):
            if number and not is_held:
                await asyncio.sleep(BEAT_EVERY_S)
            chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
            if is_held:
                held += chunk
            else:
                writer.write(chunk)
                await writer.drain()
        writer.write(held + b"0\r\n\r\n")
        await writer.drain()
