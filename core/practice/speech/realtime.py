"""Qwen's realtime voice in practice: the events of its WebSocket, with samples in base64."""

import asyncio
import base64
import json
import uuid
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.practice.counters import Tally
from core.practice.faults import read_faults, without_commands
from core.practice.settings import PracticeSettings
from core.practice.speech.book import SpeechBook
from core.practice.speech.voice import say
from core.wire.audio import RATE

PATH = "/api-ws/v1/realtime"
_CHUNK = 6_401  # bytes: odd, so that a sample is cut between two events


class RealtimeVoice:
    """A session for each connection; `/practice cut` in the text drops it in the middle."""

    def __init__(self, settings: PracticeSettings, tally: Tally, book: SpeechBook) -> None:
        self._settings = settings
        self._tally = tally
        self._book = book

    def routes(self) -> list[WebSocketRoute]:
        """Return the route."""
        return [WebSocketRoute(PATH, self._serve)]

    async def _serve(self, socket: WebSocket) -> None:
        given = socket.headers.get("authorization", "")
        if given not in ("", f"Bearer {self._settings.speech_key}"):
            await socket.close(1008)  # before it is accepted: 403
            return
        await socket.accept()
        self._tally.voices_open += 1
        is_whole = False
        try:
            await _tell(socket, "session.created", session={"model": socket.query_params["model"]})
            is_whole = await self._session(socket)
        except (WebSocketDisconnect, KeyError):
            pass
        finally:
            self._tally.voices_open -= 1
            self._tally.voices_closed_early += not is_whole

    async def _session(self, socket: WebSocket) -> bool:
        """Serve one session to its end; False where it was dropped."""
        session: dict[str, Any] = {}
        waiting = ""
        while True:
            event = json.loads(await socket.receive_text())
            match event.get("type"):
                case "session.update":
                    session |= event.get("session", {})
                    await _tell(socket, "session.updated", session=session)
                case "input_text_buffer.append":
                    waiting += str(event.get("text", ""))
                case "input_text_buffer.clear":
                    waiting = ""
                case "input_text_buffer.commit":
                    await _tell(socket, "input_text_buffer.committed", item_id=_id("item"))
                    text, waiting = waiting, ""
                    if not await self._respond(socket, session, text):
                        return False
                case "session.finish":
                    await _tell(socket, "session.finished")
                    await socket.close()
                    return True
                case other:
                    error = {"code": "invalid_value", "message": f"no event named {other}"}
                    await _tell(socket, "error", error=error)

    async def _respond(self, socket: WebSocket, session: dict[str, Any], text: str) -> bool:
        faults = read_faults(text)
        if not text.strip() or "400" in faults:
            error = {"code": "invalid_value", "message": "the text cannot be said"}
            await _tell(socket, "error", error=error)
            return True
        ids = {"response_id": _id("resp"), "item_id": _id("item")}
        await _tell(socket, "response.created", response={"id": ids["response_id"]})
        voice, model = str(session.get("voice", "")), socket.query_params["model"]
        pcm = await asyncio.to_thread(say, without_commands(text), voice)
        self._book.add("realtime", model, text, pcm)
        for at in range(0, len(pcm), _CHUNK):
            if "cut" in faults and at > len(pcm) // 2:
                await socket.close(1011)
                return False
            delta = base64.b64encode(pcm[at : at + _CHUNK]).decode()
            await _tell(socket, "response.audio.delta", delta=delta, **ids)
            await asyncio.sleep(_CHUNK / 2 / RATE / self._settings.voice_pace)
        await _tell(socket, "response.audio.done", **ids)
        await _tell(socket, "response.done", response={"id": ids["response_id"]})
        return True


async def _tell(socket: WebSocket, kind: str, **more: object) -> None:
    await socket.send_text(json.dumps({"event_id": _id("event"), "type": kind, **more}))


def _id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex[:20]}"
