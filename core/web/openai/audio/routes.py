"""`/v1/audio/speech` and `/v1/audio/transcriptions`: spoken as it comes, written down as it is."""

import base64
import json
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from msgspec import to_builtins

from core.access.owners import may_spend
from core.errors import AppError, ConfigurationError, InputError
from core.models.money.ledger import Spender
from core.web.chat.routes import EVENT_STREAM_TYPE, STREAM_HEADERS
from core.web.http_call import HttpCall, HttpCallError
from core.web.http_errors import HttpError, http_error_from
from core.web.openai.audio.form import posted_recording
from core.web.openai.audio.request import Form, SpokenRequest, spoken_request
from core.web.openai.errors import body_of, refuse
from core.web.speech.streaming import streamed, until_gone
from core.web.studio_bridge import StudioBridge
from core.wire.audio import Mp3Encoder, wav_header
from core.work.generations.sending.submission import FATE_UNKNOWN
from core.work.speech.kling import LATE

logger = logging.getLogger(__name__)

_TYPES: dict[Form, str] = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm"}
_HEADERS = (("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"))


class _Writer:
    """Samples in the form that was asked for."""

    def __init__(self, form: Form) -> None:
        self._encoder = Mp3Encoder() if form == "mp3" else None
        self.head = wav_header(None) if form == "wav" else b""

    def feed(self, pcm: bytes) -> bytes:
        return pcm if self._encoder is None else self._encoder.feed(pcm)

    def finish(self) -> bytes:
        return b"" if self._encoder is None else self._encoder.finish()


class OpenAIAudio:
    """Speaks and writes down for callers who know OpenAI's API."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge

    async def speech(self, call: HttpCall) -> None:
        """Answer with a text's sound, as it comes."""
        speech = self._bridge.studio.speech
        asked = spoken_request(
            await call.json_object(),
            has_server=speech.voices.has_server and may_spend(call.owner),
        )
        spender = Spender(call.owner, call.caller, "http")
        try:
            speech.check(spender, asked.how)
            source = speech.speak(spender, asked.text, asked.how)
            async with streamed(self._bridge, source) as sound:
                await self._answer(call, asked, until_gone(call, sound))
        except AppError as error:
            await self._refuse(call, asked, error)

    async def _answer(
        self, call: HttpCall, asked: SpokenRequest, sound: AsyncGenerator[bytes]
    ) -> None:
        writer = _Writer(asked.form)
        wrap = _event if asked.as_events else bytes
        async with aclosing(sound):
            async for pcm in sound:  # nothing is begun before the first: a refusal has its status
                call.pays_again = True
                if not call.has_begun:
                    media_type = EVENT_STREAM_TYPE if asked.as_events else _TYPES[asked.form]
                    headers = STREAM_HEADERS if asked.as_events else _HEADERS
                    await call.begin(200, media_type, headers)
                    await self._feed(call, wrap, writer.head)
                await self._feed(call, wrap, writer.feed(pcm))
        if not call.has_begun:
            if not asked.text.strip():
                raise InputError("input", "error.speech_empty")
            return  # the caller has gone
        await self._feed(call, wrap, writer.finish())
        await call.end(_done(asked.text) if asked.as_events else b"")

    async def _feed(self, call: HttpCall, wrap: Callable[[bytes], bytes], data: bytes) -> None:
        if data:
            await call.feed(wrap(data), is_washed=True)

    async def _refuse(self, call: HttpCall, asked: SpokenRequest, error: AppError) -> None:
        if not call.has_begun:
            await refuse(call, _told(error, call, pays_again=call.pays_again))
            return
        logger.warning("%s is cut off: %s", call.request_id, error)
        if asked.as_events:
            told = body_of(_told(error, call, pays_again=True))
            await call.end(_line({"type": "error", "error": to_builtins(told.error)}))
        # Else it is not ended: sound that lacks its rest must not look whole.

    async def transcriptions(self, call: HttpCall) -> None:
        """Answer with what was said in a recording, in the server's own form."""
        if not may_spend(call.owner):
            raise HttpCallError(503, "error.transcription_not_set")
        with self._bridge.body_room.hold() as held:
            recording = await posted_recording(call, held)
            spender = Spender(call.owner, call.caller, "http")
            try:
                reply = await self._bridge.run(
                    self._bridge.studio.speech.forward_recording(spender, recording)
                )
            except AppError as error:
                await refuse(call, _told(error, call))
                return
        is_json = reply.content_type.partition(";")[0].strip().lower() == "application/json"
        plain = "text/plain; charset=utf-8"
        media_type = "application/json; charset=utf-8" if is_json else plain
        await call.reply(200, reply.content, media_type, (("Cache-Control", "no-store"),))


def _told(error: AppError, call: HttpCall, *, pays_again: bool = False) -> HttpError:
    told = http_error_from(error, call.language)
    if isinstance(error, ConfigurationError):
        told = replace(told, status=503)
    elif isinstance(error, InputError):
        told = replace(told, param="input" if error.field == "text" else error.field)
    elif error.text_id == LATE:
        told = replace(told, status=504)
    elif error.text_id == FATE_UNKNOWN:  # only a person asks for it once more
        told = replace(told, status=409, pays_again=True)
    return replace(told, pays_again=told.pays_again or pays_again)


def _event(data: bytes) -> bytes:
    return _line({"type": "speech.audio.delta", "audio": base64.b64encode(data).decode()})


def _done(text: str) -> bytes:
    count = len(text)
    usage = {"input_tokens": count, "output_tokens": 0, "total_tokens": count}
    return _line({"type": "speech.audio.done", "usage": usage})


def _line(value: dict[str, object]) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()
