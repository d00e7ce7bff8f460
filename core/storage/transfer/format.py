"""The JSON in which conversations travel: pure functions, both ways.

    {"format": "inkling-conversations", "version": 3, "exported_at": …, "conversations": [
        {"id", "title", …, "head_id", "messages": [{"id", "parent_id", "role", "content", …}]}]}

Version 2 adds to a message that is more than a text its `parts`, and as `blobs` the bytes that they
point to: with each message, since an import may lack any. Version 3 has among the parts what was
found on the web, version 4 the calls of the studio's tools. A message has `pictures`: what was
drawn from it, by the ids of the generations, whose files do not travel. Messages stand parents
first, versions in their order. What comes in is a stranger's file: every value is checked, unknown
keys are ignored, and a refusal names the place. None of it spends: search and tools come in
switched off, and a call of a tool without its cost and its proposal.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, get_args

from core.errors import InputError
from core.models.chat import (
    AnswerStatus,
    ChatParameters,
    Conversation,
    Effort,
    Message,
    Role,
    Usage,
)
from core.models.lineage import PictureLink
from core.models.parts import Blob, LookupPart, Part, ToolStep, plain_text
from core.storage.chat.kept_steps import few_steps, strange_step
from core.storage.chat.message_parts import part_from, parts_out
from core.storage.lineage.told import links_in, links_out
from core.storage.transfer.checked_fields import CheckedFields, malformed

FORMAT = "inkling-conversations"
VERSION = 4


@dataclass(frozen=True, slots=True)
class TravellingConversation:
    """A conversation with its tree, or with a part of it that others follow."""

    conversation: Conversation
    messages: tuple[Message, ...]
    is_whole: bool = True  # nothing of it follows
    blobs: Mapping[str, tuple[Blob, ...]] = field(default_factory=dict)  # by message
    links: Mapping[str, tuple[PictureLink, ...]] = field(default_factory=dict)  # by message

    def weight(self) -> int:
        """Return how much there is to write, in characters and bytes."""
        return sum(weight(one, self.blobs.get(one.id, ())) for one in self.messages)


def weight(message: Message, blobs: tuple[Blob, ...]) -> int:
    """Return how much a message brings with it, in characters and bytes."""
    texts = (text for part in parts_out(message.parts) or () for text in part.values())
    size = len(message.content) + len(message.reasoning_content) + sum(map(len, texts))
    return size + sum(len(blob.content) for blob in blobs)


def payload_from(
    items: list[TravellingConversation], *, exported_at: datetime
) -> dict[str, object]:
    """Return what an export file holds."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": exported_at.isoformat(),
        "conversations": [
            conversation_out(item.conversation)
            | {
                "messages": [
                    message_out(
                        message, item.blobs.get(message.id, ()), item.links.get(message.id, ())
                    )
                    for message in item.messages
                ]
            }
            for item in items
        ],
    }


def check_version(fields: Mapping[str, object]) -> None:
    """Refuse what is no export, or one that this version cannot read."""
    if fields.get("format") != FORMAT:
        raise unknown()
    version = fields.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise malformed('file, "version"', "not a number")
    if version > VERSION:
        raise InputError("file", "error.import_newer")


def unknown() -> InputError:
    """Return the refusal of a file of no kind we know; its sentence names those we do."""
    return InputError("file", "error.import_unknown")


class ConversationReading:
    """Checks conversations as they are read, one after the other, message by message."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        # Of what was read, until somebody takes them.
        self.blobs: dict[str, tuple[Blob, ...]] = {}
        self.links: dict[str, tuple[PictureLink, ...]] = {}
        self._known: set[str] = set()
        self._number = 0
        self._messages: set[str] = set()
        self._count = 0

    @property
    def where(self) -> str:
        """The place in the file, for people."""
        return f"conversation {self._number}"

    def begin(self, value: object) -> None:
        """Begin the next conversation; `value` is whatever stands at its place."""
        self._number += 1
        self._messages = set()
        self._count = 0
        CheckedFields(value, self.where)

    def wrong(self, key: str, problem: str) -> InputError:
        """Return the refusal of this conversation's `key`."""
        return malformed(f'{self.where}, "{key}"', problem)

    def message(self, value: object) -> Message:
        """Return the conversation's next message."""
        self._count += 1
        fields = CheckedFields(value, f"{self.where}, message {self._count}")
        message = _message_in(fields)
        if message.id in self._messages:
            raise fields.wrong("id", "there twice")
        if message.parent_id is not None and message.parent_id not in self._messages:
            raise fields.wrong("parent_id", "not among the messages before it")
        self._messages.add(message.id)
        if blobs := _blobs_in(fields):
            self.blobs[message.id] = blobs
        if links := links_in(fields, message.id):
            self.links[message.id] = links
        return message

    def end(self, value: object) -> Conversation:
        """Return the conversation, once its messages were read."""
        fields = CheckedFields(value, self.where)
        conversation = conversation_in(fields.value, self._owner, self.where)
        if conversation.head_id is not None and conversation.head_id not in self._messages:
            raise fields.wrong("head_id", "not among its messages")
        if conversation.id in self._known:
            raise fields.wrong("id", "there twice")
        self._known.add(conversation.id)
        return conversation


def conversation_out(conversation: Conversation) -> dict[str, object]:
    """Return a conversation's own JSON values, without its messages."""
    value = asdict(conversation)
    del value["owner"]
    value["created_at"] = conversation.created_at.isoformat()
    value["updated_at"] = conversation.updated_at.isoformat()
    return value


def message_out(
    message: Message, blobs: tuple[Blob, ...] = (), links: tuple[PictureLink, ...] = ()
) -> dict[str, object]:
    """Return a message as JSON values, with the bytes its parts point to, and its pictures."""
    value = asdict(message)
    for derived in ("conversation_id", "version", "version_count"):
        del value[derived]
    value["created_at"] = message.created_at.isoformat()
    value["parts"] = parts_out(message.parts)
    if blobs:
        value["blobs"] = [
            {
                "media_type": blob.media_type,
                "content": base64.b64encode(blob.content).decode(),
            }
            for blob in blobs
        ]
    if links:
        value["pictures"] = links_out(links)
    return value


def conversation_in(value: Mapping[str, Any], owner: str, where: str) -> Conversation:
    """Return a conversation without its messages as `owner`'s."""
    fields = CheckedFields(value, where)
    return Conversation(
        id=fields.identifier("id"),
        owner=owner,
        title=fields.text("title", ""),
        created_at=fields.moment("created_at"),
        updated_at=fields.moment("updated_at"),
        head_id=fields.identifier("head_id") if fields.has("head_id") else None,
        system_prompt=fields.text("system_prompt", ""),
        parameters=_parameters_in(fields.inner("parameters")) or ChatParameters(),
        title_is_manual=fields.truth("title_is_manual"),
        pinned=fields.truth("pinned"),
        origin="import",
    )


def _message_in(fields: "CheckedFields") -> Message:
    status = AnswerStatus(
        fields.choice("status", [status.value for status in AnswerStatus], AnswerStatus.COMPLETE)
    )
    facts = fields.inner("error_facts")
    parts = _parts_in(fields)
    return Message(
        id=fields.identifier("id"),
        conversation_id="",  # known to whoever writes it down
        parent_id=fields.identifier("parent_id") if fields.has("parent_id") else None,
        role=fields.choice("role", get_args(Role)),
        # What is shown is what a model is told.
        content=plain_text(parts) if parts else fields.text("content"),
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
        parts=parts,
    )


def _parts_in(fields: "CheckedFields") -> tuple[Part, ...]:
    text = fields.text("content")
    parts = [part_from(one, text) for one in fields.entries("parts")]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        raise fields.wrong("parts", "none of those there are")
    return few_steps([_strange(one) for one in known])


def _strange(part: Part) -> Part:
    """Return a part of a file with nothing that is still to be done, which might be paid for."""
    if isinstance(part, LookupPart) and part.state == "wanted":
        return replace(part, state="refused")
    return strange_step(part) if isinstance(part, ToolStep) else part


def _blobs_in(fields: "CheckedFields") -> tuple[Blob, ...]:
    """Return bytes; their hash is computed anew, whatever a file may say."""
    blobs = []
    for one in fields.entries("blobs"):
        blob = CheckedFields(one, f"{fields.where}, blobs")
        try:
            content = base64.b64decode(blob.text("content"), validate=True)
        except (binascii.Error, ValueError) as error:
            raise blob.wrong("content", "not base64") from error
        blobs.append(Blob(content, blob.text("media_type")))
    return tuple(blobs)


def _usage_in(fields: "CheckedFields | None") -> Usage | None:
    if fields is None:
        return None
    return Usage(**{name: fields.count(name) for name in Usage.__dataclass_fields__})


def _parameters_in(fields: "CheckedFields | None") -> ChatParameters | None:
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
        # Who opens it here has switched on nothing that spends.
        search=False,
        tools=False,
    )
