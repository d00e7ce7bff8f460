"""Reads an exchange for people: what it was for, how its clock stood, how its stream ran."""

import json
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlsplit

from core.providers.http.kept_exchange import Exchange, Headers
from core.wire.event_frames import EventFrame, event_frames
from core.work.chat.titles import TITLE
from core.work.drawing.proposals import PROPOSAL

Purpose = Literal[
    "answer",
    "title",
    "prompt",
    "models",
    "balance",
    "create",
    "poll",
    "list",
    "costs",
    "download",
    "other",
]

_ENDINGS: tuple[tuple[str, str, Purpose], ...] = (
    ("POST", "/chat/completions", "answer"),
    ("GET", "/models", "models"),
    ("GET", "/user/balance", "balance"),
    ("GET", "/account/costs", "costs"),
)
_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """How a stream ran, in seconds after the request began."""

    frames: tuple[EventFrame, ...]
    first_token_s: float | None
    tokens_per_s: float | None
    keep_alives: int


def purpose_of(exchange: Exchange) -> Purpose:
    """Return what an exchange was for, by its method and address."""
    path = urlsplit(exchange.url).path
    if exchange.subject.startswith(TITLE):
        return "title"
    if exchange.subject.startswith(PROPOSAL):
        return "prompt"
    for method, ending, purpose in _ENDINGS:
        if exchange.method == method and path.endswith(ending):
            return purpose
    if "/images/" in path or "/billing/" in path:
        if exchange.method == "POST":
            return "create"
        return "costs" if "/billing/" in path else ("list" if path.endswith("s") else "poll")
    is_file = _header(exchange.response_headers, "content-type").startswith("image/")
    return "download" if is_file else "other"


def is_stream(exchange: Exchange) -> bool:
    """Tell whether a reply was a stream of events."""
    return _header(exchange.response_headers, "content-type").startswith("text/event-stream")


def clock_skew_s(exchange: Exchange) -> float | None:
    """Return how far the server's clock is ahead, by its `Date` header (RFC 9110 §6.6.1).

    The server wrote it after it was asked and before its first byte came: a moment between the two
    is no difference, however long the reply took. None where there is no such header.
    """
    try:
        told_s = parsedate_to_datetime(_header(exchange.response_headers, "date")).timestamp()
        asked_s = exchange.began_at.timestamp()
        came_s = asked_s + (exchange.first_byte_s or 0.0)
        return told_s - min(max(told_s, asked_s), came_s)
    except (ValueError, TypeError, OverflowError):
        return None


def stream_facts(exchange: Exchange) -> StreamFacts:
    """Return a stream's frames and its pace."""
    frames = event_frames(exchange.response_body, exchange.chunks)
    first_s, completion = None, None
    for frame in frames:
        if first_s is None and added_by(frame):
            first_s = frame.at_s
        completion = _completion_tokens(frame) or completion
    pace = None
    last_s = frames[-1].at_s if frames else None
    if completion and first_s is not None and last_s is not None and last_s > first_s:
        pace = completion / (last_s - first_s)
    return StreamFacts(frames, first_s, pace, sum(one.is_keep_alive for one in frames))


def added_by(frame: EventFrame) -> str:
    """Return what an event added to the answer: its text or its thinking."""
    for choice in _list(_object(frame.data).get("choices")):
        delta = choice.get("delta") or choice.get("message") if isinstance(choice, dict) else None
        if isinstance(delta, dict):
            said = delta.get("content") or delta.get("reasoning_content") or ""
            return said if isinstance(said, str) else ""
    return ""


def pretty(body: str) -> str:
    """Return a body as people read it: JSON with its lines, else as it stands."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return body


def _completion_tokens(frame: EventFrame) -> int | None:
    usage = _object(frame.data).get("usage")
    found = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return found if isinstance(found, int) else None


def _object(data: str) -> dict[str, object]:
    if not data.startswith("{"):
        return {}
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _header(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")
