"""Reading `/stream` as an EventSource does, with the id to come back with."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from core.wire.sse import ServerSentEvent, SSEDecoder


@dataclass
class Heard:
    """What a reader has heard."""

    events: list[ServerSentEvent] = field(default_factory=list)
    comments: int = 0
    last_event_id: str = ""

    @property
    def pieces(self) -> list[str]:
        bodies = (json.loads(one.data) for one in self.events if one.event == "message")
        return [body for body in bodies if isinstance(body, str)]

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def errors(self) -> list[dict[str, Any]]:
        bodies = (json.loads(one.data) for one in self.events if one.event == "message")
        return [body for body in bodies if isinstance(body, dict)]

    @property
    def has_ended(self) -> bool:
        return any(one.event == "end" and one.data == "[DONE]" for one in self.events)

    @property
    def answer_id(self) -> str:
        return self.last_event_id.partition(".")[0]


@contextmanager
def opened(
    http: httpx.Client, path: str, **options: Any
) -> Iterator[tuple[httpx.Response, Iterator[Heard]]]:
    """Open a stream; iterating yields what was heard so far, after each read."""
    method = options.pop("method", "GET")
    with http.stream(method, path, **options) as response:
        heard = Heard()

        def read() -> Iterator[Heard]:
            decoder = SSEDecoder()
            for chunk in response.iter_bytes():
                heard.comments += chunk.count(b"\n:") + chunk.startswith(b":")
                heard.events += decoder.feed(chunk)
                heard.last_event_id = decoder.last_event_id
                yield heard

        yield response, read()


def hear(http: httpx.Client, path: str, **options: Any) -> Heard:
    """Read a stream to its end."""
    with opened(http, path, **options) as (response, reading):
        assert response.status_code == 200, response.read()
        *_, heard = reading
    return heard
