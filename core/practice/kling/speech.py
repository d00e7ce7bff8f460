"""Kling's `/v1/audio/tts`: the finished task in the reply, its mp3 behind a link, and no query."""

import asyncio
import base64
import binascii
import json
import re
import zlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from core.models.generations import TaskStatus
from core.models.money.amounts import plain
from core.models.money.prices import PRICES
from core.models.speech import KLING_SPEECH_MODEL, KLING_TEXT_MOST, SpeechRequest
from core.practice.counters import Tally
from core.practice.faults import (
    GATEWAY_PAGE,
    SERVICE_STATUSES,
    Faults,
    Repetitions,
    read_faults,
    without_commands,
)
from core.practice.hangup import hang_up, wait_for_hang_up
from core.practice.kling.book import PictureCharge
from core.practice.kling.door import Door, envelope
from core.practice.kling.refusal import KlingRefusal, bad_parameter
from core.practice.kling.tasks import PracticeTask, new_task_id
from core.practice.settings import PracticeSettings
from core.practice.speech.book import SpeechBook, SpeechCharge
from core.practice.speech.voice import say
from core.wire.audio import mp3_from, seconds_of

TTS_PATH = "/v1/audio/tts"
PACKAGE_TYPE = "audio"
_BY = "kling"
_REFUSED_WORDS = re.compile(r"血腥|\bgore\b", re.IGNORECASE)


class KlingSpeech:
    """The speech of the practice Kling: what it said stands in its book, and is not looked up."""

    def __init__(
        self, settings: PracticeSettings, tally: Tally, door: Door, book: SpeechBook
    ) -> None:
        self._settings = settings
        self._tally = tally
        self._door = door
        self._book = book
        self._repetitions = Repetitions()

    def routes(self) -> list[Route]:
        """Return the routes: the create, and the files, which need no key."""
        return [
            self._door.route(TTS_PATH, POST=self._create),
            Route("/files/sounds/{name}", self._file, methods=["GET"]),
        ]

    def charges(self) -> list[PictureCharge]:
        """Return what was charged, as the account's book tells it."""
        left, lines = self._settings.pack_units, []
        for line in self._book.lines():
            if line.by == _BY and line.price is not None:
                lines.append(_charge(line, line.price, left))
                left -= line.price
        return lines

    async def _create(self, request: Request) -> Response:
        asked = _asked(await request.body())
        faults = read_faults(asked["text"])
        if (response := await self._fault(request, asked, faults)) is not None:
            return response
        pcm = await asyncio.to_thread(
            say, without_commands(asked["text"]), asked["voice_id"], asked["voice_speed"]
        )
        at = datetime.fromtimestamp(self._book.now(), UTC)
        price = PRICES.pieces(SpeechRequest.kind, KLING_SPEECH_MODEL, {}, at)
        units = price.units if price is not None and price.units else Decimal(0)
        task_id = new_task_id()
        self._book.add(_BY, KLING_SPEECH_MODEL, asked["text"], pcm, task_id=task_id, price=units)
        self._tally.tasks_accepted += 1
        if "lost" in faults:
            return await _dropped(request)
        link = f"{str(request.base_url).rstrip('/')}/files/sounds/{_packed(asked)}.mp3"
        now_ms = int(self._book.now() * 1000)
        sound = {"id": f"{task_id}-0", "url": link, "duration": f"{seconds_of(len(pcm)):.2f}"}
        data = {
            "task_id": task_id,
            "task_status": TaskStatus.SUCCEED.value,
            "task_status_msg": "",
            "created_at": now_ms,
            "updated_at": now_ms,
            "task_result": {"audios": [sound]},
            "final_unit_deduction": plain(units),
        }
        return envelope(0, "SUCCEED", data)

    async def _fault(
        self, request: Request, asked: dict[str, Any], faults: Faults
    ) -> Response | None:
        for code in SERVICE_STATUSES:
            times = faults.get(str(code))
            if str(code) in faults and self._repetitions.strikes(str(code), times, asked["text"]):
                raise KlingRefusal(code)
        if "html" in faults:
            return HTMLResponse(GATEWAY_PAGE, faults["html"] or 502)
        strikes = self._repetitions.strikes
        if "dropped" in faults and strikes("dropped", faults["dropped"], asked["text"]):
            return await _dropped(request)
        if _REFUSED_WORDS.search(asked["text"]):
            raise KlingRefusal(1301)
        return None

    async def _file(self, request: Request) -> Response:
        """Say it once more: a link tells all of it, so it outlives this server, as Kling's do."""
        asked = _unpacked(request.path_params["name"].removesuffix(".mp3"))
        if asked is None:
            return Response(status_code=404)
        text = without_commands(asked["text"])
        pcm = await asyncio.to_thread(say, text, asked["voice_id"], asked["voice_speed"])
        return Response(await asyncio.to_thread(mp3_from, pcm), media_type="audio/mpeg")


def _asked(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise KlingRefusal(1200, "The request body is not JSON") from error
    if not isinstance(fields, dict):
        raise KlingRefusal(1200, "The request body is not a JSON object")
    text, voice = fields.get("text"), fields.get("voice_id")
    if not isinstance(text, str) or not 1 <= len(text) <= KLING_TEXT_MOST:
        raise bad_parameter("text", f"must have 1 to {KLING_TEXT_MOST} characters")
    if not isinstance(voice, str) or not voice:
        raise bad_parameter("voice_id", "must not be empty")
    if fields.get("voice_language") not in ("zh", "en"):
        raise bad_parameter("voice_language", "must be zh or en")
    speed = fields.get("voice_speed", 1.0)
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0.8 <= speed <= 2:
        raise bad_parameter("voice_speed", "must be from 0.8 to 2.0")
    return {"text": text, "voice_id": voice, "voice_speed": float(speed)}


def _packed(asked: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(asked).encode(), 9)).decode()


def _unpacked(name: str) -> dict[str, Any] | None:
    try:
        asked = json.loads(zlib.decompress(base64.urlsafe_b64decode(name)))
        return {**asked, "text": str(asked["text"])[:KLING_TEXT_MOST]}
    except (ValueError, KeyError, TypeError, binascii.Error, zlib.error):
        return None


def _charge(line: SpeechCharge, price: Decimal, left: Decimal) -> PictureCharge:
    task = PracticeTask(
        task_id=line.task_id,
        external_task_id=None,
        created_at_ms=line.at_ms,
        submitted_s=0.0,
        processing_s=0.0,
        prompt="",
        n=1,
        width=0,
        height=0,
        units=None,
        watermark=False,
        model_name=KLING_SPEECH_MODEL,
    )
    return PictureCharge(task, "units", price, left, left - price, None)


async def _dropped(request: Request) -> Response:
    hang_up(request)
    await wait_for_hang_up(request)
    return Response()
