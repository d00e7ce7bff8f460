"""The practice server: DeepSeek's and Kling's APIs on loopback, on a thread and loop of its own."""

import asyncio
import socket
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import ConfigurationError
from core.practice.chat.book import ChatBook, ChatCharge
from core.practice.chat.routes import Chat
from core.practice.clock import PracticeClock
from core.practice.counters import PracticeCounters, Tally
from core.practice.hangup import PracticeProtocol
from core.practice.kling.account import Account
from core.practice.kling.book import ChargeBook, PictureCharge
from core.practice.kling.door import Door
from core.practice.kling.elements import Elements
from core.practice.kling.images import Images
from core.practice.kling.picture_files import PictureFiles
from core.practice.kling.speech import KlingSpeech
from core.practice.kling.tasks import TaskBook
from core.practice.settings import PracticeSettings
from core.practice.speech.book import SpeechBook, SpeechCharge
from core.practice.speech.realtime import RealtimeVoice
from core.practice.speech.server import Speech
from core.practice.web.book import WebBook, WebCharge
from core.practice.web.routes import Web

_HOST = "127.0.0.1"
_SOURCE = "the practice server"
_START_LIMIT_S = 10
_STOP_LIMIT_S = 5


class PracticeServer:
    """Start it, point clients at `origin`, stop it. Safe to use from any thread."""

    def __init__(
        self,
        *,
        port: int = 0,
        journal: Path | None = None,
        settings: PracticeSettings | None = None,
        clock: datetime | None = None,
    ) -> None:
        self._port = port
        self._journal = journal
        self._settings = settings or PracticeSettings()
        self._tally = Tally()
        self.clock = PracticeClock(clock)  # may be set while it runs
        self._chat_book = ChatBook(self._settings, self.clock)
        spoken = None if journal is None else journal.with_name("practice-speech.jsonl")
        self._speech_book = SpeechBook(self.clock, spoken)
        self._web_book = WebBook(self.clock, self._chat_book)
        self._picture_book: ChargeBook | None = None
        self._origin = ""
        self._server: _ThreadServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def origin(self) -> str:
        """The server's address, once it has started."""
        return self._origin

    @property
    def chat_url(self) -> str:
        """Where chat is asked."""
        return f"{self._origin}/chat/completions"

    @property
    def counters(self) -> PracticeCounters:
        """What the server has seen so far."""
        return self._tally.snapshot()

    @property
    def chat_book(self) -> tuple[ChatCharge, ...]:
        """What answers were charged so far, oldest first."""
        return self._chat_book.lines()

    @property
    def picture_book(self) -> tuple[PictureCharge, ...]:
        """What tasks that have ended were charged so far, oldest first."""
        return () if self._picture_book is None else tuple(self._picture_book.lines())

    @property
    def speech_book(self) -> tuple[SpeechCharge, ...]:
        """What was said so far, by whichever voice, oldest first."""
        return self._speech_book.lines()

    @property
    def web_book(self) -> tuple[WebCharge, ...]:
        """What searches and pages were charged so far, oldest first."""
        return self._web_book.lines()

    def start(self) -> None:
        """Return once connections are accepted; raise ConfigurationError if the port is taken."""
        tasks = self._read_journal()
        listener = _listener(self._port)
        self._origin = f"http://{_HOST}:{listener.getsockname()[1]}"
        files = PictureFiles(tasks, self._tally)
        book = self._picture_book = ChargeBook(self._settings, tasks)
        door = Door(self._settings, self._tally)
        speech = KlingSpeech(self._settings, self._tally, door, self._speech_book)
        app = _app(
            [
                *Chat(self._settings, self._tally, self.clock, self._chat_book).routes(),
                *Web(self._settings, self._web_book).routes(),
                *Images(self._settings, self._tally, door, tasks, files, book).routes(),
                *Account(self._settings, door, tasks, book, speech.charges).routes(),
                *Elements(self._settings, door, tasks).routes(),
                *speech.routes(),
                *files.routes(),
                *Speech(self._settings, self._tally, self._speech_book).routes(),
                *RealtimeVoice(self._settings, self._tally, self._speech_book).routes(),
                Route("/practice/counters", self._counters, methods=["GET"]),
                Route("/practice/book", self._book, methods=["GET"]),
            ]
        )
        server = _ThreadServer(app)
        self._server = server

        def run() -> None:
            asyncio.run(server.serve(sockets=[listener]))
            files.close()

        self._thread = threading.Thread(target=run, name="practice-server", daemon=True)
        self._thread.start()
        if not server.ready.wait(_START_LIMIT_S):
            raise ConfigurationError("port", _SOURCE, "error.practice_start")

    def stop(self) -> None:
        """Close every connection, open streams too, and wait for the thread to end."""
        if self._server is None or self._thread is None:
            return
        self._tally.is_closing = True
        self._server.close_now()
        self._thread.join(_STOP_LIMIT_S)
        self._server = self._thread = None

    def _read_journal(self) -> TaskBook:
        try:
            return TaskBook(self._journal, now=self.clock.now)
        except OSError as error:
            raise ConfigurationError("journal", _SOURCE, "error.practice_journal") from error

    async def _counters(self, request: Request) -> Response:
        return JSONResponse(self.counters.as_json())

    async def _book(self, request: Request) -> Response:
        """Tell what was charged, which no real provider tells so plainly."""
        chat = [line.as_json() for line in self.chat_book]
        pictures = [line.as_json() for line in self.picture_book]
        speech = [line.as_json() for line in self.speech_book]
        web = [line.as_json() for line in self.web_book]
        return JSONResponse({"chat": chat, "pictures": pictures, "speech": speech, "web": web})


class _ThreadServer(uvicorn.Server):
    """uvicorn's server, which tells when it is ready and does not wait for open streams."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=PracticeProtocol,
                ws="websockets-sansio",
                lifespan="off",
                # None leaves uvicorn's loggers alone: Streamlit's server shares them.
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=30,
            )
        )
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    def close_now(self) -> None:
        """End the server from another thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._abort_all)

    def _abort_all(self) -> None:
        self.should_exit = True
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            "port", _SOURCE, "error.practice_port", facts={"port": port}
        ) from error
    return listener


def _app(routes: Sequence[BaseRoute]) -> Starlette:
    return Starlette(routes=routes, exception_handlers={HTTPException: _bad_path})


async def _bad_path(request: Request, error: Exception) -> Response:
    """Answer in the other shape, without a code, that Kling's gateway gives to bad paths."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    body = {
        "timestamp": datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds"),
        "status": status,
        "error": error.detail if isinstance(error, HTTPException) else "",
        "message": "",
        "path": request.url.path,
    }
    return JSONResponse(body, status)
