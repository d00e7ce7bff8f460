"""The clients of the speech servers, built when first needed and anew when the settings change."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from core.errors import ConfigurationError
from core.models.speech import SpeechAsk
from core.providers.speech.qwen import QwenVoice
from core.providers.speech.server import SpeechServer
from core.providers.speech.transcription import TranscriptionServer
from core.settings import SPEECH_SETTINGS, TRANSCRIBE_SETTINGS, Settings
from core.work.loop import LoopThread

# Who still listens when the settings change has so long to come to the end.
_CLOSE_LATER_S = 120.0


class Voice(Protocol):
    """Whoever says a text: samples as they come, and closing the generator is what stops it."""

    host: str
    model: str
    voice: str

    def speak(self, ask: SpeechAsk) -> AsyncGenerator[bytes]:
        """Yield samples of 16 bits, one channel, `wire.audio.RATE` a second."""

    async def aclose(self) -> None:
        """Close all connections."""


class Voices:
    """What the settings name. From any thread; what is returned is used on the studio's loop."""

    def __init__(self, settings: Callable[[], Settings], loop: LoopThread) -> None:
        self._settings = settings
        self._loop = loop
        self._built: dict[str, tuple[object, Voice | TranscriptionServer]] = {}

    @property
    def has_server(self) -> bool:
        """Whether a server is set that reads aloud."""
        return self._settings().speech.url is not None

    @property
    def has_transcriber(self) -> bool:
        """Whether a server is set that writes down."""
        return self._settings().speech.transcribe_url is not None

    def server(self) -> Voice:
        """Return the server that reads aloud; ConfigurationError where none can be used."""
        settings = self._settings()
        speech, url = settings.speech, settings.speech.url
        if url is None:
            raise self._missing(SPEECH_SETTINGS, "error.speech_not_set")
        key = speech.api_key.reveal() if speech.api_key is not None else None
        made = QwenVoice if url.startswith(("ws:", "wss:")) else SpeechServer

        def build() -> Voice:
            return made(
                url, api_key=key, model=speech.model, voice=speech.voice, network=settings.network
            )

        found = self._one("speech", (speech, settings.network), build)
        assert not isinstance(found, TranscriptionServer)
        return found

    def transcriber(self) -> TranscriptionServer:
        """Return the server that writes down; ConfigurationError where none can be used."""
        settings = self._settings()
        speech, url = settings.speech, settings.speech.transcribe_url
        if url is None:
            raise self._missing(TRANSCRIBE_SETTINGS, "error.transcription_not_set")
        key = speech.transcribe_key.reveal() if speech.transcribe_key is not None else None

        def build() -> TranscriptionServer:
            return TranscriptionServer(
                url, api_key=key, model=speech.transcribe_model, network=settings.network
            )

        found = self._one("transcription", (speech, settings.network), build)
        assert isinstance(found, TranscriptionServer)
        return found

    async def aclose(self) -> None:
        """Close all connections. On the studio's loop."""
        built, self._built = self._built, {}
        for _, client in built.values():
            await client.aclose()

    def _one(
        self, name: str, key: object, build: Callable[[], Voice | TranscriptionServer]
    ) -> Voice | TranscriptionServer:
        known = self._built.get(name)
        if known is not None and known[0] == key:
            return known[1]
        client = build()
        self._built[name] = (key, client)
        if known is not None:
            self._loop.spawn(_close_later(known[1]), name="retire-voice")
        return client

    def _missing(self, names: tuple[str, ...], text_id: str) -> ConfigurationError:
        problems = self._settings().problems_of(*names)
        return problems[0] if problems else ConfigurationError(names[0], "-", text_id)


async def _close_later(client: Voice | TranscriptionServer) -> None:
    await asyncio.sleep(_CLOSE_LATER_S)
    await client.aclose()
