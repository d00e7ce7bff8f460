"""The echo upstream over every route, row, record and file: no canary in any place.

Routes, tables and columns are enumerated: a new one is examined without being named here, and a
route that no call of this test reaches fails it.
"""

import asyncio
import io
import json
import logging
import sqlite3
import sys
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.admin import command
from core.settings import (
    AccessSettings,
    ChatSettings,
    KlingSettings,
    Secret,
    Settings,
    SpeechSettings,
)
from core.storage.db.schema import metadata
from core.web.kling.routes import METHODS
from core.web.router import Bff
from core.web.studio_routes import StudioRoutes
from core.wire.log_form import JsonFormatter
from core.wire.masking.log_washing import wash_logs
from tests.crash.workshop import QUICK
from tests.echo_upstream import (
    ACCESS_KEY,
    API_KEY,
    CANARIES,
    CHAT_KEY,
    SECRET_KEY,
    TOKEN,
    EchoUpstream,
    Search,
    finds,
    pieces_of,
)
from tests.waiting import until
from tests.web.serving import Served, ask_once, serving

PIECES = pieces_of(*CANARIES)
FAULTS = ("400 json", "401 json", "429 json", "500 json", "400 html", "401 html", "500 html")
KLING = "/kling/v1/"
CREATE = f"{KLING}images/generations"
UNCLEAR_S = 1.0
CHAT = {"messages": [{"role": "user", "content": "hello"}]}
quickly = partial(ask_once, timings=QUICK)
OPENAI: dict[str, Any] = {**CHAT, "model": "m"}


@pytest.fixture(autouse=True)
def logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    before = logging.getLogRecordFactory()
    wash_logs()
    caplog.set_level(logging.DEBUG)
    yield
    logging.setLogRecordFactory(before)


def settings(folder: Path, echo: EchoUpstream, *, pair: bool) -> Settings:
    keys = (
        {"access_key": Secret(ACCESS_KEY), "secret_key": Secret(SECRET_KEY)}
        if pair
        else {"api_key": Secret(API_KEY)}
    )
    return Settings(
        data_dir=folder,
        chat=ChatSettings(url=echo.chat_url, api_key=Secret(CHAT_KEY)),
        kling=KlingSettings(origin=echo.origin, **keys),
        access=AccessSettings(tokens={"ann": Secret(TOKEN)}),
        speech=SpeechSettings(
            url=echo.origin,
            api_key=Secret(CHAT_KEY),
            transcribe_url=echo.origin,
            transcribe_key=Secret(CHAT_KEY),
        ),
    )


def _rpc(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


class Calls:
    """Calls routes, and looks at every part of every reply."""

    def __init__(self, served: Served, echo: EchoUpstream, search: Search) -> None:
        self._served = served
        self._echo = echo
        self._search = search
        self.reached: set[tuple[str, str]] = set()

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        options.setdefault("headers", {})
        options["headers"] = {"Authorization": f"Bearer {TOKEN}"} | options["headers"]
        reply = self._served.http.request(method, path, **options)
        self.reached.add((method, KLING if path.startswith(KLING) else path.partition("?")[0]))
        place, pieces = f"{method} {path} {self._echo.fault}", self._echo.pieces
        self._search.look(f"{place} status", reply.reason_phrase, pieces)
        for name, value in reply.headers.raw:
            self._search.look(f"{place} header {name!r}", name + b": " + value, pieces)
        self._search.look(f"{place} body", reply.content, pieces)
        return reply

    def every_chat(self) -> None:
        for path in ("/stream", "/complete"):
            self.call("GET", path, params={"question": "hello"})
            self.call("POST", path, json=CHAT)
        for stream in (False, True):
            likely = {"stream": stream, "logprobs": True}
            self.call("POST", "/v1/chat/completions", json=OPENAI | {"stream": stream})
            self.call("POST", "/v1/chat/completions", json=OPENAI | likely)
            self.call("POST", "/v1/responses", json={"input": "hello", "stream": stream})
        self.call("GET", "/v1/models")
        self.call("GET", "/ledger")
        self.call("GET", "/ledger", params={"format": "csv"})

    def every_diagnosis(self) -> None:
        self.call("GET", "/checkup/beat")
        for path, formats in (("/checkup", ("text",)), ("/exchanges", ("json", "har"))):
            for one in formats:
                own = {"headers": {"Authorization": ""}}  # a token opens neither
                reply = self.call("GET", path, params={"format": one, "limit": "2000"}, **own)
                assert reply.status_code == 200, reply.text

    def every_kling(self, timeout_s: float = UNCLEAR_S) -> list[str]:
        tasks = []
        for method in METHODS:
            body = {} if method in ("GET", "DELETE") else {"json": {"a": 1}}
            for path in ("images/generations", "other/things?pageNum=1", "images/generations/t9"):
                if (method, path) != ("POST", "images/generations"):
                    self.call(method, KLING + path, **body)
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        # What is unclear is not answered until it is clear: the wish stays, and goes on.
        with suppress(httpx.ReadTimeout):
            reply = self.call(
                "POST", CREATE, json={"prompt": "a hill"}, headers=headers, timeout=timeout_s
            )
            if isinstance(created := reply.json().get("data"), dict):
                tasks.append(created["task_id"])
                self.call("GET", f"{CREATE}/{tasks[0]}")
        return tasks

    def every_picture(self) -> None:
        file = io.BytesIO()
        Image.new("RGB", (320, 320)).save(file, "PNG")
        for form in ("url", "b64_json"):
            asked = {"prompt": "a hill", "response_format": form}
            self.call("POST", "/v1/images/generations", json=asked, timeout=60.0)
        files = {"image": ("a.png", file.getvalue(), "image/png")}
        self.call("POST", "/v1/images/edits", data=asked, files=files, timeout=60.0)

    def every_voice_and_look(self) -> None:
        for form in ("mp3", "wav", "pcm"):
            for model in ("kling-tts", "tts-1"):
                asked = {"model": model, "input": "hello", "voice": "alloy"}
                self.call("POST", "/v1/audio/speech", json=asked | {"response_format": form})
        asked = {"input": "hello", "voice": "alloy", "stream_format": "sse"}
        self.call("POST", "/v1/audio/speech", json=asked | {"model": "tts-1"})
        files = {"file": ("a.wav", b"RIFF", "audio/wav")}
        self.call("POST", "/v1/audio/transcriptions", data={"model": "whisper-1"}, files=files)
        self.call("POST", "/v1/tools/search", json={"query": "hello"})
        self.call("POST", "/v1/tools/fetch", json={"url": "https://one.example/a"})
        tickets, store = self._served.studio.transfers.tickets, self._served.studio.store
        said = store.conversations.list("local", limit=1).items[0].head_id or ""
        for by in ("browser", "server", "kling"):
            query = {"ticket": tickets.sign("local", "speech"), "message": said, "by": by}
            self.call("POST", "/speech/read", params=query)
        self.call("GET", "/speech/file", params={"ticket": tickets.sign("local", "sound")})

    def every_tool(self) -> None:
        """Call each tool of `/mcp`, as programs of both ages of the protocol do."""
        known = {"protocolVersion": "2025-06-18", "capabilities": {}}
        known["clientInfo"] = {"name": "echo", "version": "1"}
        headers = {"Accept": "application/json, text/event-stream"}
        hello = self.call("POST", "/mcp", json=_rpc("initialize", known), headers=headers)
        headers["Mcp-Session-Id"] = hello.headers["mcp-session-id"]
        for name, arguments in (
            ("ask", {"question": "hello"}),
            ("draw_picture", {"prompt": "a hill"}),
            ("look_at_task", {"task": "none"}),
            ("find_in_history", {"words": "hello"}),
        ):
            asked = _rpc("tools/call", {"name": name, "arguments": arguments})
            reply = self.call("POST", "/mcp", json=asked, headers=headers)
            assert reply.status_code == 200, reply.text
        self.call("DELETE", "/mcp", headers=headers)
        self.call("GET", "/mcp", headers=headers)  # which is no session's any more

    def every_transfer(self) -> None:
        tickets = self._served.studio.transfers.tickets
        for owner in ("local", "user:ann@example.org"):
            query = {"ticket": tickets.sign(owner, "export")}
            self.call("GET", "/transfer/export", params=query)
            self.call("HEAD", "/transfer/export", params=query)
        file = {"ticket": tickets.sign("local", "import"), "file": "f.json/1/2"}
        data = b'{"format": "inkling-conversations"}'
        total = {"total": str(len(data))}
        self.call("GET", "/transfer/import", params=file | total)
        self.call("PUT", "/transfer/import", params=file | total | {"place": "0"}, content=data)
        self.call("POST", "/transfer/import", params=file | total)
        self.call("DELETE", "/transfer/import", params=file)

    def everything_else(self) -> None:
        for path in ("/healthz", "/readyz", "/enter"):
            self.call("GET", path)
            self.call("HEAD", path)
        self.call("GET", "/openapi.json")
        assert self.call("GET", "/metrics").status_code == 200
        self.call("GET", "/readyz", params={"access_token": TOKEN})
        self.call("POST", "/enter", data={"token": TOKEN})
        self.call("GET", f"/nothing/{TOKEN}")
        self.call("GET", "/v1/models", headers={"Authorization": f"Bearer x{TOKEN}"})


def routes(served: Served) -> set[tuple[str, str]]:
    """Return every method of every path that the layer has."""

    async def found() -> set[tuple[str, str]]:
        routed = StudioRoutes(served.studio)
        tables = (routed.table, routed.signed_table, routed.open_table, Bff()._always)
        plain = {(method, path) for table in tables for path in table for method in table[path]}
        return plain | {(method, KLING) for method in routed.kling}

    return asyncio.run(found())


def look_at_rows(database: Path, echo: EchoUpstream, search: Search) -> set[str]:
    """Look at every cell of every table, the schema's and those SQLite made; tell which had any."""
    filled = set()
    with closing(sqlite3.connect(database)) as connection:
        listed = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = {str(name) for (name,) in listed}
        assert names >= set(metadata.tables)
        for name in sorted(names):
            rows = connection.execute(f'SELECT * FROM "{name}"')
            columns = [column[0] for column in rows.description]
            if name in metadata.tables:
                assert set(columns) >= set(metadata.tables[name].columns.keys())
            for row in rows:
                filled.add(name)
                for column, value in zip(columns, row, strict=True):
                    cell = value if isinstance(value, bytes) else str(value)
                    search.look(f"{name}.{column}", cell, echo.pieces)
    return filled


# The key for chats is there each time: what befalls one key in a form befalls the other.
@pytest.mark.parametrize(
    ("pair", "is_bare"),
    [
        pytest.param(True, False, id="key pair, every form"),
        pytest.param(False, True, id="API key, bare"),
    ],
)
def test_an_upstream_that_echoes_what_it_was_sent_has_it_nowhere(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    pair: bool,
    is_bare: bool,
) -> None:
    monkeypatch.setattr("core.work.checkup.asked.KLING_REGIONS", {})
    data, search = tmp_path / "data", Search()
    with (
        EchoUpstream(is_bare=is_bare) as echo,
        serving(data, settings=settings(data, echo, pair=pair), build=quickly) as served,
    ):
        calls = Calls(served, echo, search)
        calls.every_chat()
        assert calls.every_kling(timeout_s=60.0)  # this one is clear, however slow the machine
        until(lambda: any(data.rglob("*.png")), "the picture is there")
        calls.every_picture()
        calls.everything_else()
        for fault in FAULTS:
            echo.fault = fault
            calls.every_chat()
            calls.every_kling()
        echo.fault = ""
        calls.every_voice_and_look()
        calls.every_diagnosis()
        echo.fault, echo.echoes_ids = "", True
        calls.every_kling()
        calls.every_tool()
        calls.every_transfer()
        assert routes(served) <= calls.reached, routes(served) - calls.reached

        monkeypatch.setattr(command, "app_settings", lambda: served.studio.settings)
        exported = tmp_path / "export.json"
        assert command.main(["export", str(exported)]) == 0
        assert json.loads(exported.read_bytes())["conversations"]
        search.look("core.admin export", exported.read_bytes(), echo.pieces)
        assert command.main(["backup", "--to", str(tmp_path / "backups")]) == 0
        assert command.main(["export-person", "local", str(tmp_path / "person.zip")]) == 0
        (backup,) = (tmp_path / "backups").iterdir()
        search.look("core.admin backup", backup.read_bytes(), echo.pieces)
        with zipfile.ZipFile(tmp_path / "person.zip") as person:
            for name in person.namelist():
                search.look(f"core.admin export-person {name}", person.read(name), echo.pieces)
        filled = look_at_rows(data / "inkling.sqlite3", echo, search)
        assert filled >= {"conversations", "messages", "generations", "pictures", "key_values"}
        formatter = logging.Formatter("%(name)s %(message)s")
        for record in caplog.records:
            for form in (formatter, JsonFormatter()):
                search.look(f"log of {record.name}", form.format(record), echo.pieces)
        for file in filter(Path.is_file, data.rglob("*")):
            search.look(str(file.relative_to(data)), file.read_bytes(), echo.pieces)
        heard = {one.removeprefix("Bearer ") for one in echo.tokens}
        assert CHAT_KEY in heard
        assert API_KEY in heard or pair
    sys.stdout.write(f"{search.examined} places examined, {len(search.found)} hold a canary\n")
    assert search.examined > 500
    assert not search.found, "\n".join(search.found)


@given(
    before=st.text(max_size=40), piece=st.sampled_from(sorted(PIECES)), after=st.text(max_size=40)
)
def test_a_piece_of_a_canary_is_found_wherever_it_stands(
    before: str, piece: str, after: str
) -> None:
    assert finds(before + piece + after, PIECES) is not None
    assert finds(before + piece[:-1] + "\0" + after, frozenset({piece})) is None
