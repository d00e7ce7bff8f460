"""A client of `/v1/audio/speech`, OpenAI's shape: a text in, samples out as they come."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from urllib.parse import urlsplit

import httpx

from core.errors import RejectedError
from core.models.speech import SpeechAsk
from core.providers.http.client import build_client, transport_error
from core.providers.speech.errors import PROVIDER, broken_off, no_sound, status_error
from core.providers.speech.sound import SoundError, SoundReader
from core.settings.outside.network import Network

DEFAULT_MODEL = "tts-1"
DEFAULT_VOICE = "alloy"
PATH = "/audio/speech"
TIMEOUT = httpx.Timeout(connect=10, read=60, write=30, pool=10)
_ERROR_MOST = 64 * 1024


class SpeechServer:
    """One server at one address, which speaks and may want a key."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        model: str | None = None,
        voice: str | None = None,
        network: Network | None = None,
        client: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = speech_address(url, PATH)
        self.host = urlsplit(url).netloc.rpartition("@")[2]
        self.model = model or DEFAULT_MODEL
        self.voice = voice or DEFAULT_VOICE
        self._secrets = (api_key,) if api_key else ()
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = client or build_client(timeout=TIMEOUT, network=network)
        self._clock = clock
        self._form = "pcm"  # what it is asked for; "wav" where it has no samples alone

    async def speak(self, ask: SpeechAsk) -> AsyncGenerator[bytes]:
        """Yield samples as they come; ProviderError for what is none. Sent once."""
        try:
            async with aclosing(self._speak(ask, self._form)) as pieces:
                async for pcm in pieces:
                    yield pcm
        except RejectedError as error:
            if self._form == "wav" or error.status_code not in (400, 415, 422):
                raise
            # Refused, so nothing was said or billed: smaller servers have no bare samples.
            async with aclosing(self._speak(ask, "wav")) as pieces:
                async for pcm in pieces:
                    self._form = "wav"
                    yield pcm

    async def _speak(self, ask: SpeechAsk, form: str) -> AsyncGenerator[bytes]:
        body = {
            "model": ask.model or self.model,
            "input": ask.text,
            "voice": ask.voice or self.voice,
            "response_format": form,
            **({} if ask.speed == 1.0 else {"speed": ask.speed}),
        }
        has_sound = False
        try:
            async with self._client.stream(
                "POST", self.url, json=body, headers=self._headers
            ) as reply:
                if not reply.is_success:
                    said = b"".join([chunk async for chunk in reply.aiter_bytes()])[:_ERROR_MOST]
                    raise status_error(
                        reply, said, host=self.host, secrets=self._secrets, now=self._clock()
                    )
                reader = SoundReader(reply.headers.get("content-type", ""))
                try:
                    async for chunk in reply.aiter_bytes():
                        if pcm := reader.feed(chunk):
                            has_sound = True
                            yield pcm
                    if pcm := reader.finish():
                        has_sound = True
                        yield pcm
                except SoundError as error:
                    raise no_sound(self.host, reply.status_code, str(error)) from error
                if not has_sound:
                    raise no_sound(self.host, reply.status_code)
        except httpx.HTTPError as error:
            if has_sound:
                raise broken_off(self.host) from error
            raise transport_error(error, provider=PROVIDER, host=self.host) from error

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def speech_address(url: str, path: str) -> str:
    """Return the whole address: of a host, of its /v1, or as it was given with the path in it."""
    if url.rstrip("/").endswith(path):
        return url.rstrip("/")
    has_path = urlsplit(url).path.strip("/")
    return f"{url.rstrip('/')}{'' if has_path else '/v1'}{path}"
