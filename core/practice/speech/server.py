"""OpenAI's `/v1/audio/speech` and `/v1/audio/transcriptions`, spoken by the practice voice."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.practice.counters import Tally
from core.practice.faults import GATEWAY_PAGE, Faults, read_faults, without_commands
from core.practice.hangup import hang_up
from core.practice.settings import PracticeSettings
from core.practice.speech.book import SpeechBook
from core.practice.speech.voice import say
from core.wire.audio import RATE, WavReader, mp3_from, seconds_of, wav_header

_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm"}
_MOST = 4_096  # characters, as OpenAI has it
_CHUNK = 4_801  # bytes: an odd number, as any network may cut
_STATUSES = (400, 401, 402, 429, 500, 503)


class Speech:
    """The speech side of one practice server, which needs no key and refuses a wrong one."""

    def __init__(self, settings: PracticeSettings, tally: Tally, book: SpeechBook) -> None:
        self._settings = settings
        self._tally = tally
        self._book = book

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/v1/audio/speech", self._speak, methods=["POST"]),
            Route("/v1/audio/transcriptions", self._transcribe, methods=["POST"]),
        ]

    async def _speak(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        try:
            fields: dict[str, Any] = json.loads(await request.body())
            text, voice = str(fields["input"]), str(fields["voice"])
            model = str(fields["model"])
        except (ValueError, KeyError, TypeError):
            return _error(400, "model, input and voice are required")
        form, speed = fields.get("response_format", "mp3"), float(fields.get("speed", 1.0))
        if form not in _TYPES or not 0.25 <= speed <= 4 or not 0 < len(text) <= _MOST:
            return _error(400, "response_format, speed or input is not as it should be")
        faults = read_faults(text)
        for status in _STATUSES:
            if str(status) in faults:
                return _error(status, f"practice says {status}")
        if "html" in faults:
            return Response(GATEWAY_PAGE, media_type="text/html")
        pcm = await asyncio.to_thread(say, without_commands(text), voice, speed)
        self._book.add("server", model, text, pcm)
        if fields.get("stream_format") == "sse":
            return StreamingResponse(_events(pcm), media_type="text/event-stream")
        if form == "mp3":
            return Response(await asyncio.to_thread(mp3_from, pcm), media_type=_TYPES[form])
        data = (wav_header(None) if form == "wav" else b"") + pcm
        return StreamingResponse(self._paced(request, data, faults), media_type=_TYPES[form])

    async def _paced(self, request: Request, data: bytes, faults: Faults) -> AsyncIterator[bytes]:
        """Yield sound some times as fast as it is heard, as voices come."""
        self._tally.voices_open += 1
        is_whole = False
        try:
            for at in range(0, len(data), _CHUNK):
                if "cut" in faults and at > len(data) // 2:
                    hang_up(request)
                    await asyncio.get_running_loop().create_future()
                yield data[at : at + _CHUNK]
                await asyncio.sleep(_CHUNK / 2 / RATE / self._settings.voice_pace)
            is_whole = True
        finally:
            self._tally.voices_open -= 1
            self._tally.voices_closed_early += not is_whole

    async def _transcribe(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        async with request.form() as form:
            upload, how = form.get("file"), form.get("response_format", "json")
            if upload is None or isinstance(upload, str):
                return _error(400, "file is required")
            recording = await upload.read()
        text = heard(recording)
        if how == "text":
            return PlainTextResponse(text + "\n")
        return JSONResponse({"text": text})

    def _refused(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "")
        if given in ("", f"Bearer {self._settings.speech_key}"):
            return None
        return _error(401, f"Incorrect API key provided: {given}")


def heard(recording: bytes) -> str:
    """Return what practice makes of a recording: how long it is, since it understands nothing."""
    reader = WavReader()
    try:
        frames = reader.feed(recording)
    except ValueError:
        return f"练习：收到一段 {len(recording)} 字节的录音。"
    form = reader.format
    seconds = seconds_of(len(frames), form.rate * form.channels) if form is not None else 0.0
    return f"练习：听到一段 {seconds:.1f} 秒的录音。"


def _error(status: int, message: str) -> Response:
    kind = "invalid_request_error" if status < 500 else "server_error"
    body = {"error": {"message": message, "type": kind, "param": None, "code": None}}
    headers = {"Retry-After": "1"} if status == 429 else {}
    return JSONResponse(body, status, headers)


async def _events(pcm: bytes) -> AsyncIterator[str]:
    for at in range(0, len(pcm), _CHUNK):
        audio = base64.b64encode(pcm[at : at + _CHUNK]).decode()
        yield f"data: {json.dumps({'type': 'speech.audio.delta', 'audio': audio})}\n\n"
    done = {"type": "speech.audio.done", "usage": {"total_tokens": len(pcm) // _CHUNK}}
    yield f"data: {json.dumps(done)}\n\n"
