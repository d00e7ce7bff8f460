"""A page without a browser: it speaks Streamlit's websocket protocol, and beats as browsers do."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from tests.waiting import PATIENCE_S

_LARGEST_FRAME_BYTES = 1 << 28


class PageSession:
    """One tab. Open it as an async context manager; it is there once its first run has ended."""

    def __init__(self, url: str, query: str = "", page: str = "") -> None:
        self._url = url.replace("http", "ws", 1) + "/_stcore/stream"
        self._page_name, self._page = page, ""
        self._socket: ClientConnection | None = None
        self._states: dict[str, WidgetState] = {}  # what is chosen, told with each request
        self._beats: dict[str, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._elements: dict[tuple[int, ...], tuple[str, Any]] = {}
        self._pages: dict[str, str] = {}
        self.query = query
        self.runs_ended = 0
        self._running = ""
        self.drawn_page = ""  # of which the last whole run has ended

    async def __aenter__(self) -> Self:
        self._socket = await connect(
            self._url, subprotocols=[Subprotocol("streamlit")], max_size=_LARGEST_FRAME_BYTES
        )
        self._reading = asyncio.create_task(self._read())
        await self._ask()
        await self.until(lambda: self.runs_ended and self._elements)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._still(list(self._beats))
        self._reading.cancel()
        assert self._socket is not None
        await self._socket.close()

    async def until(self, fact: Callable[[], Any]) -> Any:
        """Return what `fact` returns once it is true."""
        async with asyncio.timeout(PATIENCE_S):
            while not (result := fact()):
                self._news.clear()
                await self._news.wait()
        return result

    def shown(self, kind: str, label: str) -> Any:
        """Return the element of a kind (`checkbox`) with that label or text, if there is one."""
        for found, element in self._elements.values():
            told = (getattr(element, name, "") for name in ("label", "body", "text"))
            if found == kind and any(label in one for one in told):
                return element
        return None

    async def question(self, words: str) -> None:
        """Ask in the chat box."""
        box = self.shown("chat_input", "")
        state = WidgetState(id=box.id)
        state.chat_input_value.data = words
        await self._ask(state)

    async def switch(self, label: str) -> None:
        """Turn a switch on."""
        element = self.shown("checkbox", label)
        self._states[element.id] = WidgetState(id=element.id, bool_value=True)
        await self._ask()

    async def press(self, label: str) -> None:
        """Press a button."""
        await self._ask(WidgetState(id=self.shown("button", label).id, trigger_value=True))

    async def go(self, page: str) -> None:
        """Choose another page, by its address; it is drawn, and everything asked before is done."""
        await self.turn_to(page)
        await self.until(lambda: self.drawn_page == self._pages[page])

    async def turn_to(self, page: str) -> None:
        """Choose another page, and go on at once."""
        self._page = self._pages[page]
        await self._ask()

    async def _ask(self, trigger: WidgetState | None = None, part: str = "") -> None:
        message = BackMsg()
        request = message.rerun_script
        request.query_string, request.page_script_hash = self.query, self._page
        request.page_name = "" if self._page else self._page_name
        request.widget_states.widgets.extend(self._states.values())
        if trigger is not None:
            request.widget_states.widgets.append(trigger)
        request.fragment_id, request.is_auto_rerun = part, bool(part)
        assert self._socket is not None
        await self._socket.send(message.SerializeToString())

    async def _read(self) -> None:
        assert self._socket is not None
        async for frame in self._socket:
            assert isinstance(frame, bytes)
            self._take(ForwardMsg.FromString(frame))
            self._news.set()

    def _take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "new_session":
                self._page = self._running = message.new_session.page_script_hash
                if not message.metadata.run.fragment_ids:
                    self._still(list(self._beats))
            case "navigation":
                told = message.navigation
                self._page = self._running = told.page_script_hash
                self._pages = {each.url_pathname: each.page_script_hash for each in told.app_pages}
            case "page_info_changed":
                self.query = message.page_info_changed.query_string
            case "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    self.runs_ended += 1
                    self.drawn_page = self._running
            case "auto_rerun":
                part = message.auto_rerun.fragment_id
                self._still([part])
                beating = self._beat(part, message.auto_rerun.interval)
                self._beats[part] = asyncio.create_task(beating)
            case "stop_auto_rerun":
                self._still(message.stop_auto_rerun.fragment_ids)
            case "delta" if message.delta.WhichOneof("type") == "add_block":
                block = message.delta.add_block
                if (sort := block.WhichOneof("type")) is not None:
                    where = tuple(message.metadata.delta_path)
                    self._elements[where] = (sort, getattr(block, sort))
            case "delta" if message.delta.WhichOneof("type") == "new_element":
                element = message.delta.new_element
                kind = element.WhichOneof("type")
                place = tuple(message.metadata.delta_path)
                self._elements[place] = (str(kind), getattr(element, str(kind)))

    def _still(self, parts: Any) -> None:
        for part in parts:
            if (beating := self._beats.pop(part, None)) is not None:
                beating.cancel()

    async def _beat(self, part: str, interval_s: float) -> None:
        while True:
            await asyncio.sleep(interval_s)
            await self._ask(part=part)
