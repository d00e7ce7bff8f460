"""A chat request as DeepSeek's autumn 2026 reference allows it, and how it is refused."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.practice.chat.messages import ChatMessage, check_order, message_from
from core.practice.chat.models import MAX_OUTPUT_TOKENS, MODEL_ALIASES, MODELS
from core.practice.chat.refusal import ChatRefusal, invalid
from core.practice.chat.skills.tools import Choice, read_choice

_EFFORTS = {
    "low": "low",
    "minimal": "low",
    "high": "high",
    "medium": "high",
    "xhigh": "high",
    "max": "max",
    "ultra": "max",
    "none": "none",
}
_USER_ID = re.compile(r"[A-Za-z0-9_-]{1,512}")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What is asked for, checked."""

    model: str
    messages: tuple[ChatMessage, ...]
    effort: str | None  # None: thinking is off
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    include_usage: bool = False
    json_mode: bool = False
    choice: Choice = Choice()  # noqa: RUF009 - frozen
    logprobs: int | None = None  # alternatives to each token; None where none are wanted
    user_id: str = ""
    prefix: str | None = None

    @property
    def question(self) -> ChatMessage:
        """The last thing a person said; empty when nobody did."""
        asked = [message for message in self.messages if message.role == "user"]
        return asked[-1] if asked else ChatMessage("user", "")

    @property
    def system(self) -> str:
        """The system prompts, joined."""
        return "\n".join(m.content for m in self.messages if m.role == "system")

    @property
    def prompt(self) -> str:
        """Everything sent, as one text: what tokens and cache are counted from."""
        offered = [f"{one.name}{one.description}{one.schema}" for one in self.choice.tools]
        said = (f"<{m.role}>{m.content}{m.files}{m.web}" for m in self.messages)
        return "\n".join((*said, *offered))

    @property
    def turn(self) -> int:
        """How often tools were called since a person spoke last."""
        place = max((n for n, m in enumerate(self.messages) if m.role == "user"), default=0)
        return sum(1 for message in self.messages[place:] if message.calls)

    @property
    def results(self) -> tuple[tuple[str, str], ...]:
        """What the tools that were called last returned, each with its name.

        Nothing where something follows, but for the beginning of the answer to them.
        """
        messages = self.messages if self.prefix is None else self.messages[:-1]
        names = {call_id: name for message in self.messages for call_id, name in message.calls}
        found: list[tuple[str, str]] = []
        for message in reversed(messages):
            if message.role != "tool":
                break
            found.insert(0, (names.get(message.call_id, "?"), message.content))
        return tuple(found)


def chat_request_from_json(body: bytes, *, beta: bool) -> ChatRequest:
    """Return the request in `body`, or raise the refusal DeepSeek would send."""
    fields = _json_object(body)
    model = _model(fields.get("model"))
    effort = _effort(fields)
    raw_messages = fields.get("messages")
    if not isinstance(raw_messages, list):
        invalid("Failed to deserialize the JSON body: messages: expected a sequence")
    if not raw_messages:
        raise ChatRefusal(400, "Empty input messages")
    messages = tuple(message_from(raw, place, model) for place, raw in enumerate(raw_messages))
    prefix = _prefix(raw_messages, beta)
    choice = _choice(fields, raw_messages, effort, beta=beta)
    check_order(messages)
    stream = _flag(fields, "stream")
    _number(fields, "temperature", 0, 2)
    _number(fields, "top_p", 0, 1)
    return ChatRequest(
        model=model,
        messages=messages,
        effort=effort,
        max_tokens=_max_tokens(fields),
        stop=_stop(fields.get("stop")),
        stream=stream,
        include_usage=_include_usage(fields, stream),
        json_mode=_json_mode(fields.get("response_format")),
        choice=choice,
        logprobs=_logprobs(fields),
        user_id=_user_id(fields.get("user_id")),
        prefix=prefix,
    )


def _json_object(body: bytes) -> Json:
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise ChatRefusal(400, "Failed to parse the request body as JSON") from error
    if not isinstance(fields, dict):
        raise ChatRefusal(400, "Failed to parse the request body as JSON: expected an object")
    return fields


def _model(name: object) -> str:
    if not isinstance(name, str):
        invalid("Failed to deserialize the JSON body: missing field `model`")
    name = MODEL_ALIASES.get(name, name)
    if name not in MODELS:
        raise ChatRefusal(
            400,
            f"The supported API model names are {' or '.join(MODELS)}, but you passed {name}.",
        )
    return name


def _effort(fields: Json) -> str | None:
    thinking = fields.get("thinking")
    kind = (
        "enabled"
        if thinking is None
        else thinking.get("type", "enabled")
        if isinstance(thinking, dict)
        else None
    )
    if kind not in ("enabled", "disabled"):
        invalid("thinking.type: unknown variant, expected one of `enabled`, `disabled`")
    asked = fields.get("reasoning_effort")
    effort = _EFFORTS.get(asked) if isinstance(asked, str) else "high" if asked is None else None
    if effort is None:
        invalid("reasoning_effort: unknown variant, expected one of `low`, `high`, `max`")
    return None if kind == "disabled" or effort == "none" else effort


def _prefix(messages: list[Json], beta: bool) -> str | None:
    for place, message in enumerate(messages):
        if not message.get("prefix"):
            continue
        if message["role"] != "assistant" or place != len(messages) - 1:
            raise ChatRefusal(400, "prefix: only the last message may set it, as assistant")
        if not beta:
            raise ChatRefusal(400, "prefix: this feature needs the base URL ending in /beta")
        return message.get("content") or ""
    return None


def _choice(fields: Json, messages: list[Json], effort: str | None, *, beta: bool) -> Choice:
    choice = read_choice(fields, thinks=effort is not None, beta=beta)
    if choice.tools and effort is not None:
        for message in messages:
            if message["role"] == "assistant" and message.get("reasoning_content") is None:
                raise ChatRefusal(
                    400,
                    "The `reasoning_content` in the thinking mode must be passed back to the API.",
                )
    return choice


def _flag(fields: Json, name: str) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        invalid(f"{name}: invalid type, expected a boolean")
    return bool(value)


def _number(fields: Json, name: str, low: float, high: float) -> None:
    value = fields.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        invalid(f"Invalid {name} value, the valid range of {name} is [{low}, {high}]")


def _logprobs(fields: Json) -> int | None:
    _number(fields, "top_logprobs", 0, 20)
    if fields.get("top_logprobs") is not None and not _flag(fields, "logprobs"):
        raise ChatRefusal(400, "top_logprobs: needs logprobs to be true")
    return int(fields.get("top_logprobs") or 0) if _flag(fields, "logprobs") else None


def _max_tokens(fields: Json) -> int | None:
    value = fields.get("max_tokens")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_OUTPUT_TOKENS:
        invalid(
            f"Invalid max_tokens value, the valid range of max_tokens is [1, {MAX_OUTPUT_TOKENS}]"
        )
    return value


def _stop(value: object) -> tuple[str, ...]:
    stops = [value] if isinstance(value, str) else value or []
    if not isinstance(stops, list) or len(stops) > 16:
        invalid("stop: expected a string or up to 16 strings")
    if not all(isinstance(stop, str) for stop in stops):
        invalid("stop: expected a string or up to 16 strings")
    return tuple(stop for stop in stops if stop)


def _include_usage(fields: Json, stream: bool) -> bool:
    options = fields.get("stream_options")
    if options is None:
        return False
    if not stream:
        raise ChatRefusal(400, "stream_options: should be set along with stream = true")
    if not isinstance(options, dict):
        invalid("stream_options: expected an object")
    return _flag(options, "include_usage")


def _json_mode(response_format: object) -> bool:
    if response_format is None:
        return False
    kind = response_format.get("type") if isinstance(response_format, dict) else None
    if kind not in ("text", "json_object"):
        invalid("response_format.type: unknown variant, expected `text` or `json_object`")
    return bool(kind == "json_object")


def _user_id(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not _USER_ID.fullmatch(value):
        invalid("user_id: expected up to 512 of a-z, A-Z, 0-9, _ and -")
    return value
