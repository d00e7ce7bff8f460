"""Sessions without browsers: they speak Streamlit's websocket protocol and note what came when."""

import asyncio
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from bench.browser.documents import MARK

LARGEST_FRAME_BYTES = 200_000_000


@dataclass(slots=True)
class Seen:
    """What one session saw of its answer."""

    marks: list[tuple[int, float]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    size_bytes: int = 0


class Session:
    """One reader of the app. Open it as an async context manager."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket: ClientConnection | None = None
        self._page = ""
        self._question_box = ""
        self._elements: dict[tuple[int, ...], str] = {}
        self._runs_ended = 0
        self._changed = asyncio.Event()
        self._highest = 0
        self.seen = Seen()
        self.asked_at = 0.0

    async def __aenter__(self) -> Self:
        self._socket = await connect(
            self._url, subprotocols=["streamlit"], max_size=LARGEST_FRAME_BYTES, compression=None
        )
        self._reading = asyncio.create_task(self._read())
        await self._rerun()
        await self._until(lambda: self._runs_ended > 0 and bool(self._question_box))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reading.cancel()
        assert self._socket is not None
        await self._socket.close()

    async def ask(self, question: str) -> None:
        """Send a question as the chat input does."""
        self.asked_at = time.time()
        await self._rerun(question)

    async def wait_for(self, text: str) -> None:
        """Return once the finished answer is shown: one element that holds all of it."""
        await self._until(lambda: text in self._elements.values())

    async def _until(self, fact: "object") -> None:
        assert callable(fact)
        while not fact():
            self._changed.clear()
            await self._changed.wait()

    async def _rerun(self, question: str | None = None) -> None:
        message = BackMsg()
        message.rerun_script.query_string = ""
        message.rerun_script.page_script_hash = self._page
        if question is not None:
            state = message.rerun_script.widget_states.widgets.add()
            state.id = self._question_box
            state.chat_input_value.data = question
        assert self._socket is not None
        await self._socket.send(message.SerializeToString())

    async def _read(self) -> None:
        assert self._socket is not None
        async for frame in self._socket:
            assert isinstance(frame, bytes)
            self.seen.size_bytes += len(frame)
            message = ForwardMsg()
            message.ParseFromString(frame)
            self._take(message)
            self._changed.set()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page = message.new_session.page_script_hash
        elif kind == "script_finished":
            self._runs_ended += 1
        elif kind == "delta":
            place = tuple(message.metadata.delta_path)
            element = message.delta.new_element
            what = element.WhichOneof("type")
            if what == "chat_input":
                self._question_box = element.chat_input.id
            self._elements[place] = element.markdown.body if what == "markdown" else ""
            if what == "markdown":
                self._note(element.markdown.body)

    def _note(self, body: str) -> None:
        found = max((int(match[1]) for match in MARK.finditer(body)), default=0)
        if found > self._highest:
            self._highest = found
            self.seen.marks.append((found, time.time()))
