"""Qwen's realtime voice: a WebSocket of JSON events, samples as base64 in them.

The names of the closing events are from memory (speech.md section 2): whatever says that the sound
or the session is over ends it, and events of other names are passed over.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from core.errors import ConfigurationError, UnavailableError
from core.models.speech import SpeechAsk
from core.providers.http.redaction import short_word
from core.providers.speech.errors import (
    PROVIDER,
    broken_off,
    no_sound,
    refused_connection,
    said_error,
)
from core.settings.outside.network import Network
from core.settings.outside.proxy import Proxy
from core.wire.audio import RATE, Base64Joiner

if TYPE_CHECKING:  # imported at first use: most studios never need it
    from websockets.asyncio.client import ClientConnection

DEFAULT_MODEL = "qwen3-tts-flash-realtime"
DEFAULT_VOICE = "Cherry"
CONNECT_TIMEOUT_S = 10.0
SILENCE_S = 30.0  # between two events
_CLOSE_S = 1.0
_EVENT_MOST = 8 * 1024 * 1024
_ENDS = frozenset({"session.finished", "response.done"})


class QwenVoice:
    """Speaks over one WebSocket for each text; closing it is what stops the voice."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        model: str | None = None,
        voice: str | None = None,
        network: Network | None = None,
    ) -> None:
        self.url = url
        self.host = urlsplit(url).netloc.rpartition("@")[2]
        self.model = model or DEFAULT_MODEL
        self.voice = voice or DEFAULT_VOICE
        self._secrets = (api_key,) if api_key else ()
        self._network = network or Network()

    async def speak(self, ask: SpeechAsk) -> AsyncGenerator[bytes]:
        """Yield samples as they come; ProviderError where the voice refuses or drops off."""
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415

        has_sound = False
        async with self._connected(ask.model or self.model) as socket:
            try:
                for event in self._events(ask):
                    await socket.send(json.dumps(event, ensure_ascii=False))
                joiner = Base64Joiner()
                while True:
                    async with asyncio.timeout(SILENCE_S):
                        event = _event(await socket.recv())
                    kind = event.get("type")
                    if kind == "response.audio.delta":
                        if pcm := self._samples(joiner, event.get("delta")):
                            has_sound = True
                            yield pcm
                    elif kind == "error":
                        raise self._said(event.get("error"))
                    elif kind in _ENDS:
                        break
            except (ConnectionClosed, TimeoutError) as error:
                if not has_sound and isinstance(error, TimeoutError):
                    raise self._lost("error.network_timeout") from error
                raise broken_off(self.host) from error
        if not has_sound:
            raise no_sound(self.host, 200)

    async def aclose(self) -> None:
        """Nothing stays open between two texts."""

    def _events(self, ask: SpeechAsk) -> list[dict[str, Any]]:
        session = {
            "mode": "commit",
            "voice": ask.voice or self.voice,
            "language_type": "Auto",
            "response_format": "pcm",
            "sample_rate": RATE,
            **({} if ask.speed == 1.0 else {"speech_rate": ask.speed}),
        }
        return [
            {"type": "session.update", "session": session},
            {"type": "input_text_buffer.append", "text": ask.text},
            {"type": "input_text_buffer.commit"},
            {"type": "session.finish"},
        ]

    def _samples(self, joiner: Base64Joiner, delta: object) -> bytes:
        try:
            return joiner.feed(delta if isinstance(delta, str) else "*")
        except ValueError as error:
            raise no_sound(self.host, 200) from error

    def _said(self, told: object) -> Exception:
        error = told if isinstance(told, dict) else {}
        return said_error(
            self.host, short_word(error.get("code")), error.get("message"), self._secrets
        )

    @asynccontextmanager
    async def _connected(self, model: str) -> "AsyncGenerator[ClientConnection]":
        from websockets.asyncio.client import connect  # noqa: PLC0415
        from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus  # noqa: PLC0415

        headers = {"Authorization": f"Bearer {self._secrets[0]}"} if self._secrets else {}
        try:
            socket = await connect(
                _with_model(self.url, model),
                additional_headers=headers,
                proxy=self._proxy(),
                ssl=self._tls(),
                open_timeout=CONNECT_TIMEOUT_S,
                close_timeout=_CLOSE_S,
                max_size=_EVENT_MOST,
                user_agent_header="inkling",
            )
        except InvalidStatus as error:
            raise refused_connection(self.host, error.response.status_code) from error
        except (InvalidHandshake, InvalidMessage, EOFError) as error:
            raise refused_connection(self.host, 502) from error
        except (OSError, TimeoutError, ImportError) as error:
            raise self._lost("error.network_connect") from error
        try:
            yield socket
        finally:
            socket.transport.abort() if _is_cancelled() else await socket.close()

    def _proxy(self) -> str | None:
        """Return the proxy's whole address; the problem of the setting where there is one."""
        parts = urlsplit(self.url)
        scheme = "https" if parts.scheme == "wss" else "http"
        way = self._network.way_to(scheme, parts.hostname or "")
        if isinstance(way, ConfigurationError):
            raise UnavailableError(way.text_id, provider=PROVIDER, facts=way.facts)
        return None if way is None else _address_of(way)

    def _tls(self) -> ssl.SSLContext | None:
        return self._network.ssl_context() if self.url.startswith("wss:") else None

    def _lost(self, text_id: str) -> UnavailableError:
        return UnavailableError(text_id, provider=PROVIDER, facts={"host": self.host})


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _address_of(proxy: Proxy) -> str:
    host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    password = quote(proxy.password.reveal(), safe="") if proxy.password is not None else ""
    user = f"{quote(proxy.user, safe='')}:{password}@" if proxy.user is not None else ""
    # The proxy resolves names, as for everything else that goes through it.
    scheme = "socks5h" if proxy.scheme == "socks5" else proxy.scheme
    return f"{scheme}://{user}{host}:{proxy.port}"


def _with_model(url: str, model: str) -> str:
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "model"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("model", model)])))


def _event(message: str | bytes) -> dict[str, Any]:
    try:
        event = json.loads(message)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
