"""`/speech/…`: an answer read aloud to the page that shows it, and files, by signed links.

The reply is frames: a kind (one byte), a length (four, little-endian), and so many bytes. Samples
come as they are made, sentences where the browser itself speaks, and an error or the end last: a
reply that stops without one of them was cut off.
"""

import json
import struct
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from core.archive.archive import sound_name
from core.errors import AppError
from core.models.generations import GenerationStatus
from core.models.money.ledger import Spender
from core.models.speech import SpeechRequest
from core.web.guard.scopes import wanted_scopes
from core.web.http_call import HttpCall, HttpCallError, Table
from core.web.http_errors import http_error_from
from core.web.speech.streaming import streamed, until_gone
from core.web.studio_bridge import StudioBridge
from core.wire.audio import spoken
from core.work.generations.sending.submission import FATE_UNKNOWN
from core.work.speech.reading import sentences_of_answer
from core.work.speech.speech import SpeechOptions
from core.work.transfer.tickets import Holder, Purpose

SOUND, SENTENCE, ERROR, END = b"s", b"t", b"e", b"."
_TYPE = "application/octet-stream"
_HEADERS = (("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"))
_NAME_MOST = 200
# As what the links are for asks it of a token: Kling's own path, by which a file was bought.
_SCOPES = wanted_scopes("POST", "/kling/v1/audio/tts")


class SpeechRoutes:
    """The route that the chat page's reading component uses."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge

    def table(self) -> Table:
        """Return which method of which path is served by what."""
        return {"/speech/read": {"POST": self.read}, "/speech/file": {"GET": self.file}}

    async def read(self, call: HttpCall) -> None:
        """Read an answer aloud as far as it is written, and on as it is."""
        holder = await self._holder(call, "speech")
        message_id = call.query.get("message", "")[:_NAME_MOST]
        source = self._source(call, holder, message_id)
        await call.begin(200, _TYPE, _HEADERS)  # at once: the page's sound waits for nothing else
        try:
            async with (
                streamed(self._bridge, source) as frames,
                aclosing(until_gone(call, frames)) as heard,
            ):
                async for frame in heard:
                    await call.feed(frame, is_washed=True)
        except AppError as error:
            told = {
                "sentence": http_error_from(error, call.language).sentence,
                "again": error.text_id == FATE_UNKNOWN,
            }
            await call.end(_frame(ERROR, json.dumps(told, ensure_ascii=False).encode()))
            return
        await call.end(_frame(END, b""))

    async def file(self, call: HttpCall) -> None:
        """Send a sound of the archive."""
        owner = (await self._holder(call, "sound")).owner
        studio = self._bridge.studio
        said = await self._bridge.in_thread(
            studio.store.generations.get, owner, call.query.get("id", "")[:_NAME_MOST]
        )
        is_sound = said is not None and said.kind == SpeechRequest.kind
        if said is None or not is_sound or said.status is not GenerationStatus.ARCHIVED:
            raise HttpCallError(404, "http.no_such_path")
        content = await self._bridge.in_thread(studio.archive.original_bytes, sound_name(said))
        await call.begin(200, "audio/mpeg", (("Content-Length", str(len(content))), *_HEADERS))
        await call.feed(content, is_washed=True)
        await call.end()

    def _source(self, call: HttpCall, holder: Holder, message_id: str) -> AsyncGenerator[bytes]:
        studio = self._bridge.studio
        sentences = partial(
            sentences_of_answer,
            holder.owner,
            message_id,
            live=studio.answers.live,
            stored=studio.store.messages.get,
        )
        by = call.query.get("by", "")
        if by == "browser":
            return _written(sentences())
        if by not in ("server", "kling"):
            raise HttpCallError(400, "http.want_described", facts={"field": "by"}, field="by")
        how = SpeechOptions(
            by="kling" if by == "kling" else "server",
            voice=call.query.get("voice", "")[:_NAME_MOST],
            again="again" in call.query,
        )
        return _sounding(self._said(holder, sentences(), how))

    async def _said(
        self, holder: Holder, sentences: AsyncGenerator[str], how: SpeechOptions
    ) -> AsyncGenerator[bytes]:
        spender = Spender(holder.owner, holder.caller, "page")
        speech = self._bridge.studio.speech
        speech.check(spender, how)
        async with aclosing(speech.read_aloud(spender, sentences, how)) as sound:
            async for pcm in sound:
                yield pcm

    async def _holder(self, call: HttpCall, purpose: Purpose) -> Holder:
        """Return who the link was given to; a pass or token that was taken back since ends it."""
        studio = self._bridge.studio
        ticket = call.query.get("ticket", "")
        holder = await self._bridge.in_thread(studio.transfers.tickets.holder_of, ticket, purpose)
        if holder is None:
            raise HttpCallError(403, "http.link_expired")
        if not await self._bridge.in_thread(studio.still_may, holder.caller, _SCOPES):
            raise HttpCallError(403, "http.link_expired")
        return holder


async def _sounding(sound: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(sound):
        async for pcm in sound:
            yield _frame(SOUND, pcm)


async def _written(sentences: AsyncGenerator[str]) -> AsyncGenerator[bytes]:
    async with aclosing(sentences):
        async for sentence in sentences:
            if words := spoken(sentence):
                yield _frame(SENTENCE, words.encode("utf-8", "replace"))


def _frame(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content
