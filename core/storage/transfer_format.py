"""The JSON in which conversations travel: pure functions, both ways.

    {"format": "inkling-conversations", "version": 1, "exported_at": …, "conversations": [
        {"id", "title", …, "head_id", "messages": [{"id", "parent_id", "role", "content", …}]}]}

Messages stand parents first, versions in their order. What comes in is a stranger's file: every
value is checked, unknown keys are ignored, and a refusal names the place.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from core.errors import InputError
from core.models import AnswerStatus, ChatParameters, Conversation, Effort, Message, Role, Usage

FORMAT = "inkling-conversations"
VERSION = 1

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_COUNT = 1 << 53


@dataclass(frozen=True, slots=True)
class TravellingConversation:
    """A conversation with its whole tree."""

    conversation: Conversation
    messages: tuple[Message, ...]


def payload_from(
    items: list[TravellingConversation], *, exported_at: datetime
) -> dict[str, object]:
    """Return what an export file holds."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": exported_at.isoformat(),
        "conversations": [_conversation_out(item) for item in items],
    }


def read_payload(payload: object, *, owner: str) -> list[TravellingConversation]:
    """Return the conversations of an export file as `owner`'s."""
    if not isinstance(payload, Mapping) or payload.get("format") != FORMAT:
        raise malformed("file", f'"format" is not "{FORMAT}"')
    version = payload.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise malformed("file", '"version" is not a number')
    if version > VERSION:
        raise InputError(
            "file",
            "This file was written by a newer version of the app: update the app, then import it.",
            text_id="error.import_newer",
        )
    conversations = payload.get("conversations")
    if not isinstance(conversations, list):
        raise malformed("file", '"conversations" is not a list')
    items, known = [], set[str]()
    for number, value in enumerate(conversations, 1):
        fields = _Fields(value, f"conversation {number}")
        item = _conversation_in(fields, owner)
        if item.conversation.id in known:
            raise fields.wrong("id", "there twice")
        known.add(item.conversation.id)
        items.append(item)
    return items


def malformed(where: str, problem: str) -> InputError:
    """Return the refusal of a file, naming place and problem."""
    return InputError(
        "file",
        f"This file cannot be imported, nothing was changed: {where}: {problem}.",
        text_id="error.import_malformed",
        facts={"where": where, "problem": problem},
    )


def _conversation_out(item: TravellingConversation) -> dict[str, object]:
    value = asdict(item.conversation)
    del value["owner"]
    value["created_at"] = item.conversation.created_at.isoformat()
    value["updated_at"] = item.conversation.updated_at.isoformat()
    value["messages"] = [_message_out(message) for message in item.messages]
    return value


def _message_out(message: Message) -> dict[str, object]:
    value = asdict(message)
    for derived in ("conversation_id", "version", "version_count"):
        del value[derived]
    value["created_at"] = message.created_at.isoformat()
    return value


def _conversation_in(fields: "_Fields", owner: str) -> TravellingConversation:
    conversation_id = fields.identifier("id")
    raw = fields.value.get("messages")
    if not isinstance(raw, list):
        raise fields.wrong("messages", "not a list")
    messages: dict[str, Message] = {}
    for number, value in enumerate(raw, 1):
        below = _Fields(value, f"{fields.where}, message {number}")
        message = _message_in(below, conversation_id)
        if message.id in messages:
            raise below.wrong("id", "there twice")
        if message.parent_id is not None and message.parent_id not in messages:
            raise below.wrong("parent_id", "not among the messages before it")
        messages[message.id] = message
    head_id = fields.identifier("head_id") if fields.has("head_id") else None
    if head_id is not None and head_id not in messages:
        raise fields.wrong("head_id", "not among its messages")
    conversation = Conversation(
        id=conversation_id,
        owner=owner,
        title=fields.text("title", ""),
        created_at=fields.moment("created_at"),
        updated_at=fields.moment("updated_at"),
        head_id=head_id,
        system_prompt=fields.text("system_prompt", ""),
        parameters=_parameters_in(fields.inner("parameters")) or ChatParameters(),
        title_is_manual=fields.truth("title_is_manual"),
        pinned=fields.truth("pinned"),
        origin="import",
    )
    return TravellingConversation(conversation, tuple(messages.values()))


def _message_in(fields: "_Fields", conversation_id: str) -> Message:
    status = AnswerStatus(
        fields.choice("status", [status.value for status in AnswerStatus], AnswerStatus.COMPLETE)
    )
    facts = fields.inner("error_facts")
    return Message(
        id=fields.identifier("id"),
        conversation_id=conversation_id,
        parent_id=fields.identifier("parent_id") if fields.has("parent_id") else None,
        role=fields.choice("role", get_args(Role)),
        content=fields.text("content"),
        created_at=fields.moment("created_at"),
        reasoning_content=fields.text("reasoning_content", ""),
        # Whoever ran it, nobody does so here.
        status=status if status.is_final else AnswerStatus.INTERRUPTED,
        finish_reason=fields.optional_text("finish_reason"),
        usage=_usage_in(fields.inner("usage")),
        model=fields.optional_text("model"),
        parameters=_parameters_in(fields.inner("parameters")),
        error_text_id=fields.optional_text("error_text_id"),
        error_facts=dict(facts.value) if facts else {},
        error_detail=fields.text("error_detail", ""),
        reasoning_s=fields.number("reasoning_s"),
        first_token_s=fields.number("first_token_s"),
        duration_s=fields.number("duration_s"),
        practice=fields.truth("practice"),
    )


def _usage_in(fields: "_Fields | None") -> Usage | None:
    if fields is None:
        return None
    return Usage(**{name: fields.count(name) for name in Usage.__dataclass_fields__})


def _parameters_in(fields: "_Fields | None") -> ChatParameters | None:
    if fields is None:
        return None
    default = ChatParameters()
    return ChatParameters(
        model=fields.text("model", default.model),
        thinking=fields.truth("thinking", default.thinking),
        effort=fields.choice("effort", get_args(Effort), default.effort),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        max_tokens=fields.count("max_tokens"),
        stream=fields.truth("stream", default.stream),
    )


class _Fields:
    """A JSON object whose values are checked as they are taken."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise malformed(where, "not an object")
        self.value: Mapping[str, Any] = value
        self.where = where

    def wrong(self, key: str, problem: str) -> InputError:
        return malformed(self.where, f'"{key}" is {problem}')

    def has(self, key: str) -> bool:
        return self.value.get(key) is not None

    def identifier(self, key: str) -> str:
        text = self.text(key)
        if not _ID.fullmatch(text):
            raise self.wrong(key, "not an id")
        return text

    def text(self, key: str, default: str | None = None) -> str:
        value = self.value.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, "not a text" if key in self.value else "missing")
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if self.has(key) else None

    def choice(self, key: str, choices: Any, default: str | None = None) -> Any:
        text = self.text(key, default)
        if text not in choices:
            raise self.wrong(key, "none of " + ", ".join(choices))
        return text

    def truth(self, key: str, default: bool = False) -> bool:
        value = self.value.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "neither true nor false")
        return value

    def number(self, key: str) -> float | None:
        value = self.value.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, "not a number")
        if abs(value) > _MAX_COUNT or not math.isfinite(value):
            raise self.wrong(key, "out of range")
        return value

    def count(self, key: str) -> int | None:
        value = self.number(key)
        if value is not None and (value < 0 or not isinstance(value, int)):
            raise self.wrong(key, "not a count")
        return None if value is None else int(value)

    def moment(self, key: str) -> datetime:
        try:
            return datetime.fromisoformat(self.text(key)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self.wrong(key, "not a moment") from error

    def inner(self, key: str) -> "_Fields | None":
        return _Fields(self.value[key], f"{self.where}, {key}") if self.has(key) else None
