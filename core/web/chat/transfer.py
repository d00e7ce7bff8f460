"""`/transfer/…`: exports streamed out, uploads in pieces, for whoever holds a signed link.

The link says for whom: it was signed by a page that had let that person in. No caller of the HTTP
layer gets here without one, and it opens nothing else.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from core.errors import AppError, InputError, StoreError
from core.storage.transfer.exports import ExportShape
from core.texts.catalogue import Language
from core.web.http_call import CLOSING, HttpCall, HttpCallError, Table
from core.web.http_errors import STORE_TEXT_ID
from core.web.studio_bridge import StudioBridge
from core.work.transfer.tickets import Purpose
from core.work.transfer.transfers import Transfers
from core.work.transfer.uploads import UploadState, WrongPlaceError

logger = logging.getLogger(__name__)

PIECE_BYTES = 1 << 20
TOTAL_MOST = 1 << 40
_CHUNK_BYTES = 1 << 17
_DAY = re.compile(r"[0-9]{8}")
_TYPE = "application/json; charset=utf-8"


class TransferRoutes:
    """The routes that the pages' transfer component uses."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge

    def table(self) -> Table:
        """Return which method of which path is served by what."""
        return {
            "/transfer/export": {"GET": self.export, "HEAD": self.export},
            "/transfer/import": {
                "GET": self.state,
                "PUT": self.receive,
                "POST": self.begin,
                "DELETE": self.forget,
            },
        }

    async def export(self, call: HttpCall) -> None:
        """Send everything as a file, at the pace at which it is taken."""
        owner = await self._owner(call, "export")
        shape: ExportShape = "chatgpt" if call.query.get("shape") == "chatgpt" else "inkling"
        suffix = "-chatgpt" if shape == "chatgpt" else ""
        name = f"inkling-{_day(call)}{suffix}.json"
        headers = (
            ("Content-Disposition", f'attachment; filename="{name}"'),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
        )
        if call.method == "HEAD":
            await call.begin(200, _TYPE, headers)
            await call.end()
            return
        pieces = self._transfers.export(owner, shape)
        leaving = asyncio.create_task(call.hang_up())
        try:
            chunk = await asyncio.to_thread(_chunk, pieces)  # a store in trouble keeps its status
            await call.begin(200, _TYPE, headers)
            while chunk and not leaving.done():
                await call.feed(chunk)
                chunk = await asyncio.to_thread(_chunk, pieces)
            if not leaving.done():
                await call.end()
        except Exception as error:
            if not call.has_begun and isinstance(error, StoreError):
                raise HttpCallError(503, STORE_TEXT_ID) from error
            if not call.has_begun:
                raise
            # Not ended: a file that lacks its rest must not look complete.
            logger.exception("An export was cut short")
        finally:
            leaving.cancel()
            await asyncio.to_thread(pieces.close)  # type: ignore[attr-defined]

    async def state(self, call: HttpCall) -> None:
        """Tell how far a file is; with `total`, also whether there is room for it."""
        owner, name = await self._owner(call, "import"), _name(call)
        if "total" in call.query:
            total = _count(call, "total")
            await self._try(self._transfers.uploads.check_room, owner, name, total)
        await call.reply_json(200, _as_json(await self._state(owner, name), call.language))

    async def receive(self, call: HttpCall) -> None:
        """Take the next piece of a file."""
        try:
            owner, name = await self._owner(call, "import"), _name(call)
            place, total = _count(call, "place"), _count(call, "total")
        except HttpCallError as error:  # refused before the piece is read
            error.headers = CLOSING
            raise
        piece = await call.body(most_bytes=PIECE_BYTES)
        try:
            received = await self._try(
                self._transfers.uploads.receive, owner, name, place, total, piece
            )
        except WrongPlaceError as error:
            await call.reply_json(409, {"received": error.received})
            return
        await call.reply_json(200, {"received": received})

    async def begin(self, call: HttpCall) -> None:
        """Import a file that is complete."""
        owner, name = await self._owner(call, "import"), _name(call)
        await self._try(self._transfers.begin_import, owner, name, _count(call, "total"))
        await call.reply_json(202, _as_json(await self._state(owner, name), call.language))

    async def forget(self, call: HttpCall) -> None:
        """Remove what is there of a file."""
        owner, name = await self._owner(call, "import"), _name(call)
        await self._try(self._transfers.uploads.remove, owner, name)
        await self._try(self._transfers.uploads.forget_note, owner, name)
        await call.reply(204, b"", "")

    @property
    def _transfers(self) -> Transfers:
        return self._bridge.studio.transfers

    async def _owner(self, call: HttpCall, purpose: Purpose) -> str:
        ticket = call.query.get("ticket", "")
        owner = await self._try(self._transfers.tickets.owner_of, ticket, purpose)
        if owner is None:
            raise HttpCallError(403, "http.link_expired")
        return str(owner)

    async def _state(self, owner: str, name: str) -> UploadState:
        state: UploadState = await self._try(self._transfers.uploads.state, owner, name)
        return state

    async def _try(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Run in a thread; tell an AppError with the status that fits."""
        try:
            return await asyncio.to_thread(function, *arguments)
        except InputError as error:
            raise HttpCallError(400, error.text_id, facts=error.facts) from error
        except AppError as error:
            is_full = error.text_id == "error.store_full"
            text_id = "http.disk_full" if is_full else STORE_TEXT_ID
            raise HttpCallError(507 if is_full else 503, text_id) from error


def _chunk(pieces: Iterator[bytes]) -> bytes:
    """Return the next pieces, enough to be worth sending; nothing at the end."""
    chunk = bytearray()
    for piece in pieces:
        chunk += piece
        if len(chunk) >= _CHUNK_BYTES:
            break
    return bytes(chunk)


def _name(call: HttpCall) -> str:
    name = call.query.get("file", "")
    if not 0 < len(name) <= 512:
        raise HttpCallError(400, "http.file_name", field="file")
    return name


def _day(call: HttpCall) -> str:
    """Return the day for the file's name: the reader's, where the page has told it."""
    day = call.query.get("day", "")
    return day if _DAY.fullmatch(day) else f"{datetime.now(UTC):%Y%m%d}"


def _count(call: HttpCall, name: str) -> int:
    text = call.query.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 15) or int(text) > TOTAL_MOST:
        raise HttpCallError(400, "http.byte_count", facts={"field": name}, field=name)
    return int(text)


def _as_json(state: UploadState, language: Language) -> dict[str, object]:
    value: dict[str, object] = {"phase": state.phase, "received": state.received}
    if "share" in state.facts:
        value["share"] = state.facts["share"]
    if "text_id" in state.facts:
        error = AppError(state.facts["text_id"], facts=state.facts["facts"])
        value["sentence"] = error.sentence(language)
    return value
