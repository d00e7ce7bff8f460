"""An echoing upstream: DeepSeek and Kling that put what they were sent into every string.

Its keys are canaries; `places` looks for them, or any twelve signs of them, in whatever encoding.
"""

import asyncio
import base64
import binascii
import json
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from tests.crash.fake_pictures import make_png
from tests.raw_server import RawServer

CHAT_KEY = "sk-9vQx7Lm2Rt+4Kd/8Wz1Bn6Hc3Yp5Gs0Jf"
API_KEY = "api-key-kling-4Tn8Zc2Xq6Lw0Rb5Vm9"
ACCESS_KEY = "AK7h3Jd9Qw2Ze8Xr4Tc6Vb1Nm5Lp0Gk9Ty"
SECRET_KEY = "SK2u8Fy4Ho0Ra6Ed1Iw7Zt3Cx9Pq5MvLb4"
TOKEN = "tok-5Bz1Yn7Ks3Dg9Wf2Uj8Ce4Oh6Xa0"
CANARIES = (CHAT_KEY, API_KEY, ACCESS_KEY, SECRET_KEY, TOKEN)

PIECE = 12
IMAGES = "/v1/images/generations"
_HALF = PIECE // 2
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


def pieces_of(*secrets: str) -> frozenset[str]:
    """Return every twelve signs of these, as they stand, in base64, in hex."""
    found: set[str] = set()
    for secret in secrets:
        raw = secret.encode()
        forms = [secret, raw.hex(), raw.hex().upper()]
        for offset in range(3):
            # Of base64 the signs at both ends depend on what stands around.
            first, last = (offset * 8 + 5) // 6, (offset + len(raw)) * 8 // 6
            core = base64.b64encode(b"\0" * offset + raw).decode()[first:last]
            forms += [core, core.translate(str.maketrans("+/", "-_"))]
        for form in forms:
            found |= {form[at : at + PIECE] for at in range(len(form) - PIECE + 1)}
    return frozenset(found)


def finds(content: bytes | str, pieces: frozenset[str]) -> str | None:
    """Return the first piece that stands in this, escaped or not."""
    text = content if isinstance(content, str) else content.decode("latin-1")
    views = {text, unquote(text), unquote(unquote(text))}
    views.add(_ESCAPED.sub(lambda match: chr(int(match[1], 16)), text))
    halves = _halves(pieces)
    for view in views:
        # Wherever a piece stands, one of these blocks lies wholly within it.
        if halves.isdisjoint(view[at : at + _HALF] for at in range(0, len(view), _HALF)):
            continue
        for at in range(len(view) - PIECE + 1):
            if view[at : at + PIECE] in pieces:
                return view[at : at + PIECE]
    return None


@lru_cache(maxsize=4)
def _halves(pieces: frozenset[str]) -> frozenset[str]:
    """Return every six signs that stand in a piece."""
    return frozenset(piece[at : at + _HALF] for piece in pieces for at in range(PIECE - _HALF + 1))


class Search:
    """Counts the places that were examined, and remembers those that hold a canary."""

    def __init__(self) -> None:
        self.examined = 0
        self.found: list[str] = []

    def look(self, place: str, content: bytes | str, pieces: frozenset[str]) -> None:
        self.examined += 1
        if (piece := finds(content, pieces)) is not None:
            self.found.append(f"{place}: {piece}")


class EchoUpstream(RawServer):
    """`fault` is "" or a status with a form, such as "429 html"; `is_bare` echoes the key alone."""

    def __init__(self, *, is_bare: bool = False) -> None:
        super().__init__()
        self.fault = ""
        self.is_bare = is_bare
        self.echoes_ids = False
        self.asked: list[str] = []
        self.tokens: set[str] = set()
        self._pieces: frozenset[str] = frozenset()
        self._pieces_of = -1
        self._told = "-"
        self._tasks: dict[str, str] = {}

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def chat_url(self) -> str:
        return f"{self.origin}/chat/completions"

    @property
    def pieces(self) -> frozenset[str]:
        """What to look for: the canaries, and the signature of each token that was sent."""
        if len(self.tokens) != self._pieces_of:
            tokens = list(self.tokens)
            signatures = (token.split(".")[2] for token in tokens if token.count(".") == 2)
            self._pieces, self._pieces_of = pieces_of(*CANARIES, *signatures), len(tokens)
        return self._pieces

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *rest = head.split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (one.partition(": ") for one in rest)
            }
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            method, path, _ = line.split(" ")
            self.asked.append(f"{method} {path.partition('?')[0]}")
            if "authorization" in headers:
                self._hear(headers["authorization"])
            for data in self._reply(method, path.partition("?")[0], body):
                writer.write(data)
                await writer.drain()
        writer.close()

    def _hear(self, header: str) -> None:
        key = header.removeprefix("Bearer ")
        self.tokens.add(key)
        forms = [key]
        if not self.is_bare:
            for value in (header, key):
                raw = value.encode()
                forms += [value, quote(value, safe=""), raw.hex(), json.dumps(value)]
                forms += [base64.b64encode(b"\0" * at + raw).decode() for at in range(3)]
                forms.append(base64.urlsafe_b64encode(raw).decode())
            for segment in key.split(".")[:2] if key.count(".") == 2 else ():
                with suppress(ValueError, binascii.Error):
                    forms += [segment, base64.urlsafe_b64decode(segment + "==").decode()]
        self._told = " ".join(forms)

    # -- replies -----------------------------------------------------------------------------------

    def _reply(self, method: str, path: str, body: bytes) -> Iterator[bytes]:
        told = self._told
        if path.startswith("/files/"):
            yield self._whole(_png(path, told), "image/png")
        elif self.fault:
            yield self._refusal(path)
        elif path.endswith("/chat/completions"):
            asked = json.loads(body)
            if asked.get("stream"):
                yield self._head("200", "text/event-stream")
                yield from self._stream()
            else:
                message = {"role": told, "content": told, "reasoning_content": told}
                yield self._json(self._chat({"message": message, "finish_reason": told}))
        elif path.endswith("/models"):
            models = [dict.fromkeys(("id", "object", "owned_by", "x"), told), {"id": "plain"}]
            yield self._json({"object": told, "data": models})
        elif path.endswith("/audio/speech"):
            yield self._whole(told.encode() * 40, "audio/pcm")
        elif path.endswith("/audio/transcriptions"):
            yield self._json(dict.fromkeys(("text", "language", told), told))
        elif path.endswith("/balance"):
            names = ("currency", "total_balance", "granted_balance", "topped_up_balance")
            infos = [dict.fromkeys(names, told), dict.fromkeys(names, "1.00") | {"currency": told}]
            yield self._json({"is_available": True, "balance_infos": infos, "note": told})
        else:
            yield self._json(
                {"code": 0, "message": told, "request_id": told, told: told}
                | {"data": self._kling(method, path, body)}
            )

    def _kling(self, method: str, path: str, body: bytes) -> Any:
        told = self._told
        if method == "POST" and path == IMAGES:
            name = f"task-{len(self._tasks) + 1}"
            self._tasks[name] = json.loads(body).get("external_task_id", "")
            return self._task(name, told if self.echoes_ids else "submitted")
        if path == IMAGES:
            return [{**self._task(name, "succeed")} for name in self._tasks] + [
                {**self._task("x", "succeed"), "task_id": told}
            ]
        if path.startswith(IMAGES + "/"):
            asked = unquote(path.rpartition("/")[2])
            ours = [name for name, own in self._tasks.items() if asked in (name, own)]
            return self._task(ours[0] if ours else asked, "succeed")
        if path.endswith("/account/costs"):
            names = ("resource_pack_name", "resource_pack_id", "resource_pack_type", "status")
            pack = dict.fromkeys((*names, "total_quantity", "purchase_time"), told)
            return {"code": 0, "msg": told, "resource_pack_subscribe_infos": [pack]}
        return {"anything": told, told: [told, {"deep": told}]}

    def _task(self, name: str, status: str) -> dict[str, Any]:
        told = self._told
        link = f"{self.origin}/files/{name}.png?token={quote(told)}"
        own = told if self.echoes_ids else self._tasks.get(name, told)
        return {
            "task_id": name,
            "task_status": status,
            "task_status_msg": told,
            "task_info": {"external_task_id": own, "more": told},
            "task_result": {"images": [{"index": 0, "url": link, "watermark_url": told}]},
            "final_unit_deduction": told,
            "created_at": told,
            "updated_at": told,
        }

    def _chat(self, choice: dict[str, Any]) -> dict[str, Any]:
        told = self._told
        fields = dict.fromkeys(("id", "object", "created", "model", "system_fingerprint"), told)
        usage = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), told)
        return {**fields, "choices": [{"index": 0, "logprobs": told, **choice}], "usage": usage}

    def _stream(self) -> Iterator[bytes]:
        told = self._told
        yield f": {told}\n\nevent: {told}\nid: {told}\nretry: {told}\n\n".encode()
        for field in ("reasoning_content", "content"):
            yield self._event({"delta": {"role": told, field: told + " ", "tool_calls": told}})
            for size in (1, 3, 7, 11):  # split over events
                for at in range(0, len(told), size):
                    yield self._event({"delta": {field: told[at : at + size]}})
                yield self._event({"delta": {field: "\n\n"}})
        link = f"[{told}](https://x.example/?k={quote(told)}) `{told}`\n\n```{told}\n{told}\n```\n"
        yield self._event({"delta": {"content": link}})
        yield self._event({"delta": {}, "finish_reason": told})
        yield b"data: [DONE]\n\n"

    def _event(self, choice: dict[str, Any]) -> bytes:
        return f"data: {json.dumps(self._chat(choice))}\n\n".encode()

    def _refusal(self, path: str) -> bytes:
        told = self._told
        status, form = self.fault.split()
        if form == "html":
            page = f"<!doctype html><title>{told}</title><h1 x='{told}'>{told}</h1>".encode()
            return self._whole(page, f"text/html; charset={told}", status)
        inner = dict.fromkeys(("message", "type", "param", "code", told), told)
        if "/v1/images" in path or "/account" in path or "/v1/other" in path:
            numbers = {"400": 1201, "401": 1002, "429": 1302, "500": 5000}
            kling = {"code": numbers[status], "message": told, "request_id": told, "data": told}
            return self._json(kling, status)
        return self._json({"error": inner, "message": told}, status)

    def _json(self, value: object, status: str = "200") -> bytes:
        return self._whole(json.dumps(value).encode(), "application/json", status)

    def _whole(self, data: bytes, content_type: str, status: str = "200") -> bytes:
        return self._head(status, content_type, f"content-length: {len(data)}\r\n") + data

    def _head(self, status: str, content_type: str, more: str = "") -> bytes:
        told = self._told
        kind = content_type if self.is_bare else f"{content_type}; note={told}"
        names = ("retry-after", "x-request-id", "x-ds-trace-id", "www-authenticate", "location")
        lines = "".join(f"{name}: {told}\r\n" for name in names)
        return (
            f"HTTP/1.1 {status} {told}\r\ncontent-type: {kind}\r\nset-cookie: a={told}\r\n"
            f"{lines}{more}connection: close\r\n\r\n"
        ).encode("latin-1")


def _png(path: str, told: str) -> bytes:
    """Return a picture whose texts are echoes too."""
    plain = make_png(path)
    text = b"Comment\0" + told.encode()
    chunk = struct.pack(">I", len(text)) + b"tEXt" + text
    chunk += struct.pack(">I", binascii.crc32(b"tEXt" + text))
    return plain[:33] + chunk + plain[33:] + told.encode()
