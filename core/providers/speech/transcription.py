"""A client of `/v1/audio/transcriptions`, OpenAI's shape: a recording in, what was said out."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.providers.http.client import build_client, json_object, transport_error
from core.providers.speech.errors import PROVIDER, no_text, status_error
from core.providers.speech.server import speech_address
from core.settings.outside.network import Network

DEFAULT_MODEL = "whisper-1"
PATH = "/audio/transcriptions"
RECORDING_MOST = 25 * 1024 * 1024  # OpenAI's own limit
_LONGEST_S = 7 * 24 * 3600.0
TIMEOUT = httpx.Timeout(connect=10, read=120, write=60, pool=10)


@dataclass(frozen=True, slots=True)
class TranscriptionReply:
    """A reply as it came, for those who forward it."""

    content: bytes
    content_type: str


class TranscriptionServer:
    """One server at one address, which writes recordings down."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        model: str | None = None,
        network: Network | None = None,
        client: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = speech_address(url, PATH)
        self.host = urlsplit(url).netloc.rpartition("@")[2]
        self.model = model or DEFAULT_MODEL
        self._secrets = (api_key,) if api_key else ()
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = client or build_client(timeout=TIMEOUT, network=network)
        self._clock = clock

    async def forward(
        self, fields: Mapping[str, Any], recording: bytes, *, name: str, media_type: str
    ) -> TranscriptionReply:
        """Send a recording on with the fields of the form; return the reply as it is."""
        data = {"model": self.model, "response_format": "json", **fields}
        files = {"file": (name, recording, media_type)}
        try:
            reply = await self._client.post(self.url, data=data, files=files, headers=self._headers)
        except httpx.HTTPError as error:
            raise transport_error(error, provider=PROVIDER, host=self.host) from error
        if not reply.is_success:
            raise status_error(
                reply, reply.content, host=self.host, secrets=self._secrets, now=self._clock()
            )
        return TranscriptionReply(
            reply.content, reply.headers.get("content-type", "application/json")
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def transcript_in(reply: TranscriptionReply, host: str) -> str:
    """Return the words in a reply of the usual form; ProtocolError where there are none."""
    told = json_object(reply.content)
    text = told.get("text") if told is not None else None
    if not isinstance(text, str):
        raise no_text(host, 200)
    return text.strip()


def told_seconds(reply: TranscriptionReply) -> float | None:
    """Return how long the recording was that is billed, where a reply tells it; else None.

    OpenAI does so in `usage` of the type `duration`, and in `duration` of its verbose form.
    """
    told = json_object(reply.content) or {}
    usage = told.get("usage")
    found = usage.get("seconds") if isinstance(usage, dict) else None
    for seconds in (found, told.get("duration")):
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            continue
        if math.isfinite(seconds) and 0 <= seconds <= _LONGEST_S:
            return float(seconds)
    return None
