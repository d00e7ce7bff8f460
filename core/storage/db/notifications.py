"""Notifications between processes: PostgreSQL's LISTEN/NOTIFY, on connections of their own.

A pooler in transaction mode takes LISTEN and delivers nothing, so what is sent is heard first: a
self-test when it begins, a heartbeat after. Until one is heard, `state` says so and whoever wants
to know looks into the rows, as everyone does on SQLite.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from sqlalchemy import URL

from core.storage.db.process_lock import SHARED_BY_SESSION

if TYPE_CHECKING:
    import psycopg

logger = logging.getLogger(__name__)

State = Literal["off", "starting", "live", "undelivered", "away"]
Heard = Callable[[dict[str, Any]], None]

PAYLOAD_BYTES = 7_000  # PostgreSQL refuses 8,000
SELF_TEST_S = 3.0
HEARTBEAT_S = 10.0
SILENCE_S = 30.0
AGAIN_AFTER_S = 5.0
SPEAK_AGAIN_AFTER_S = 1.0
# A pooler stays what it is.
UNDELIVERED_AGAIN_AFTER_S = 300.0
_BEAT = {"kind": "beat"}
_WAITING_MOST = 2_000
_AT_ONCE = 100
_SEND = "SELECT pg_notify(%s, one) FROM unnest(%s::text[]) AS one"


class Notifications:
    """The channel of one schema: every process hears what any of them says, itself too.

    Off without an address: SQLite has none.
    """

    def __init__(self, url: URL | None) -> None:
        plain = url.set(drivername="postgresql") if url is not None else None
        self._conninfo = plain.render_as_string(hide_password=False) if plain is not None else ""
        self._closing = threading.Event()
        self._waiting: SimpleQueue[str] = SimpleQueue()
        self._heard: list[Heard] = []
        self._threads: list[threading.Thread] = []
        self._channel = ""
        self._hearing: State = "starting" if url is not None else "off"
        self._is_heard = True  # what we said last could be sent
        self._trouble = ""  # the last kind that was told

    @property
    def state(self) -> State:
        """How it stands: live where what is sent is heard, and can be sent."""
        return "away" if self._hearing == "live" and not self._is_heard else self._hearing

    def start(self, heard: Heard) -> None:
        """Tell `heard`, quick and from a thread, of each message from now on."""
        self._heard.append(heard)
        if not self._threads and self.state != "off":
            for run, name in ((self._hear, "notify-hear"), (self._speak, "notify-speak")):
                thread = threading.Thread(target=run, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()

    def send(self, message: dict[str, Any]) -> None:
        """Say something soon; nothing where nobody would hear it. From any thread."""
        if self.state == "live" and self._waiting.qsize() < _WAITING_MOST:
            self._waiting.put(_written(message))

    def close(self) -> None:
        """End both connections."""
        self._closing.set()
        for thread in self._threads:
            thread.join(SELF_TEST_S)

    # -- hearing -----------------------------------------------------------------------------------

    def _hear(self) -> None:
        while not self._closing.is_set():
            wait_s = AGAIN_AFTER_S
            try:
                with self._connect() as connection:
                    if not self._hears_itself(connection):
                        self._become("undelivered")
                        wait_s = UNDELIVERED_AGAIN_AFTER_S
                    else:
                        # The session is ours alone: whoever is to move the rows sees us here.
                        connection.execute(SHARED_BY_SESSION.encode())
                        self._become("live")
                        self._listen(connection)
                        self._become("away")
            except Exception as error:  # whatever it is: nobody else would say that we are deaf
                self._become("away")
                self._tell_trouble("No notifications between processes", error)
            self._closing.wait(wait_s)

    def _hears_itself(self, connection: "psycopg.Connection[Any]") -> bool:
        row = connection.execute("SELECT current_schema()").fetchone()
        self._channel = f"inkling_{row[0] if row else ''}"[:63].replace('"', "")
        connection.execute(f'LISTEN "{self._channel}"'.encode())
        nonce = _written({"kind": "hello", "nonce": uuid4().hex})
        with self._connect() as other:  # by its own it would hear itself through any pooler
            other.execute(_SEND, (self._channel, [nonce]))
        until = time.monotonic() + SELF_TEST_S
        while (left := until - time.monotonic()) > 0:
            for one in connection.notifies(timeout=left, stop_after=1):
                if one.payload == nonce:
                    return True
        return False

    def _listen(self, connection: "psycopg.Connection[Any]") -> None:
        """Hand on what comes, until it is over or nothing is heard any more, not even ourselves."""
        beat_at, heard_at = 0.0, time.monotonic()
        while not self._closing.is_set():
            now = time.monotonic()
            if now - beat_at >= HEARTBEAT_S:
                beat_at = now
                self.send(_BEAT)
            if now - heard_at > SILENCE_S:
                return
            for one in connection.notifies(timeout=0.5):
                heard_at, self._trouble = time.monotonic(), ""
                self._tell(one.payload)

    def _tell(self, payload: str) -> None:
        try:
            message = json.loads(payload)
            if isinstance(message, dict) and message.get("kind") not in ("hello", "beat"):
                for heard in self._heard:
                    heard(message)
        except Exception:  # whatever it is, the next one is heard
            logger.exception("A notification could not be taken")

    def _become(self, state: State | None = None, *, is_heard: bool | None = None) -> None:
        before = self.state
        self._hearing = state or self._hearing
        self._is_heard = self._is_heard if is_heard is None else is_heard
        if self.state != before:
            logger.info("Notifications between processes: %s", self.state)

    def _tell_trouble(self, what: str, error: Exception) -> None:
        """Log what kind of error came; one that comes again and again is told once."""
        kind = f"{what}: {type(error).__name__}"
        if kind != self._trouble:
            self._trouble = kind
            logger.warning("%s", kind)
            logger.debug("%s", kind, exc_info=error)

    # -- speaking ----------------------------------------------------------------------------------

    def _speak(self) -> None:
        while not self._closing.is_set():
            try:
                # After an error nothing is handed to us: whether it is over, a beat tells.
                first = self._waiting.get(timeout=0.5) if self._is_heard else _written(_BEAT)
            except Empty:
                continue
            try:
                with self._connect() as connection:
                    self._say(connection, [first])
                    self._become(is_heard=True)
                    self._say_on(connection)
            except Exception as error:  # whatever it is: nobody else would say that we are mute
                self._become(is_heard=False)
                self._tell_trouble("A notification was not sent", error)
                self._closing.wait(SPEAK_AGAIN_AFTER_S)

    def _say_on(self, connection: "psycopg.Connection[Any]") -> None:
        while not self._closing.is_set():
            some: list[str] = []
            try:
                some.append(self._waiting.get(timeout=0.5))
                while len(some) < _AT_ONCE:
                    some.append(self._waiting.get_nowait())
            except Empty:
                pass
            if some:
                self._say(connection, some)

    def _say(self, connection: "psycopg.Connection[Any]", payloads: list[str]) -> None:
        connection.execute(_SEND, (self._channel, payloads))

    def _connect(self) -> "psycopg.Connection[Any]":
        import psycopg  # noqa: PLC0415 - ten megabytes that a studio on SQLite does without

        return psycopg.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=10,
            prepare_threshold=None,
            keepalives_idle=10,
            application_name="inkling-notify",
        )


def _written(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def in_pieces(text: str, most_bytes: int = PAYLOAD_BYTES - 500) -> list[str]:
    """Return a text in pieces that fit into a message each, as JSON."""
    pieces, start = [], 0
    while start < len(text):
        end = min(len(text), start + most_bytes)
        while len(json.dumps(text[start:end], ensure_ascii=False).encode()) > most_bytes:
            end = start + max(1, (end - start) * 2 // 3)
        pieces.append(text[start:end])
        start = end
    return pieces
