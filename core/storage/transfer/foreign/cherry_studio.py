"""Reader of Cherry Studio's topics: messages in a line, whose words stand in blocks elsewhere.

Answers of several models to one question name it by `askId`: they are versions, and what was said
next is under the one that was chosen.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.models.chat import AnswerStatus
from core.storage.transfer.foreign import values
from core.storage.transfer.foreign.model import (
    EntryRefusedError,
    ForeignConversation,
    ForeignMessage,
)

KIND = "cherry-studio"

Blocks = Callable[[list[str]], list[Mapping[str, Any]]]

_STATUSES = {
    "paused": AnswerStatus.STOPPED,
    "error": AnswerStatus.INTERRUPTED,
    "pending": AnswerStatus.INTERRUPTED,
    "processing": AnswerStatus.INTERRUPTED,
}


@dataclass(frozen=True, slots=True)
class Topic:
    """What the app's settings know of a topic."""

    name: str = ""
    created_at: object = None
    updated_at: object = None
    prompt: str = ""


def topics_in(persisted: object) -> dict[str, Topic]:
    """Return topics by id, from `persist:cherry-studio`: JSON texts within a JSON text."""
    assistants = values.mapping(_parsed(values.mapping(_parsed(persisted)).get("assistants")))
    known: dict[str, Topic] = {}
    for one in [
        *values.objects([assistants.get("defaultAssistant")]),
        *values.objects(assistants.get("assistants")),
    ]:
        for topic in values.objects(one.get("topics")):
            prompts = [values.text(one.get("prompt")), values.text(topic.get("prompt"))]
            known[values.identifier(topic.get("id"))] = Topic(
                values.title(topic.get("name")),
                topic.get("createdAt"),
                topic.get("updatedAt"),
                values.joined(prompts),
            )
    return known


def is_one(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry of a file is a topic."""
    return isinstance(entry.get("messages"), list) and "id" in entry


def read(entry: Mapping[str, Any], topic: Topic, blocks: Blocks) -> ForeignConversation:
    """Return the conversation."""
    messages: list[ForeignMessage] = []
    prompts = [topic.prompt]
    trunk: str | None = None  # what the next question is under
    asked: str | None = None  # the question that is being answered
    chosen: str | None = None
    for at, node in enumerate(values.objects(entry.get("messages"))):
        message = _message(node, at, blocks)
        if values.text(node.get("role")) == "system":
            prompts.append(message.content)
            continue
        if not message.content and not message.reasoning:
            continue
        ask = values.identifier(node.get("askId"))
        if message.role == "assistant" and ask and ask == asked:
            message.parent = asked
            if trunk == asked or node.get("foldSelected") is True:
                trunk = chosen = message.id
        else:
            message.parent = trunk
            trunk = chosen = message.id
            if message.role == "user":
                asked = message.id
        messages.append(message)
    if not messages:
        raise EntryRefusedError("without messages", topic.name)
    return ForeignConversation(
        kind=KIND,
        id=values.identifier(entry.get("id")),
        title=topic.name or values.title(entry.get("name")),
        messages=messages,
        created_at=values.moment(topic.created_at),
        updated_at=values.moment(topic.updated_at),
        head=chosen,
        system_prompt=values.joined(prompts),
    )


def _message(node: Mapping[str, Any], at: int, blocks: Blocks) -> ForeignMessage:
    is_question = values.text(node.get("role")) == "user"
    content = [values.parts_text(node.get("content"))]  # before there were blocks
    reasoning = [values.text(node.get("reasoning_content"))]
    taken_s = None
    names = [values.identifier(one) for one in values.entries(node.get("blocks"))]
    for block in blocks([name for name in names if name]):
        kind, said = values.text(block.get("type")), values.text(block.get("content"))
        if kind == "thinking":
            reasoning.append(said)
            thought_ms = block.get("thinking_millsec")
            if isinstance(thought_ms, int | float):
                taken_s = values.seconds(thought_ms / 1000)
        elif kind == "tool":
            name = values.title(block.get("toolName")) or "?"
            reasoning.append(values.joined([f"**{name}**", said]))
        else:
            content.append(said or _named(kind, block))
    if not is_question and not reasoning[0]:
        tagged, content[0] = values.split_thinking(content[0])
        reasoning.append(tagged)
    model = values.identifier(values.mapping(node.get("model")).get("id"))
    return ForeignMessage(
        id=values.identifier(node.get("id")) or str(at),
        parent=None,
        role="user" if is_question else "assistant",
        content=values.joined(content),
        reasoning="" if is_question else values.joined(reasoning),
        at=values.moment(node.get("createdAt")),
        model=None if is_question else model or values.text(node.get("modelId")) or None,
        status=_STATUSES.get(values.text(node.get("status")), AnswerStatus.COMPLETE),
        reasoning_s=taken_s,
    )


def _named(kind: str, block: Mapping[str, Any]) -> str:
    file = values.mapping(block.get("file"))
    name = file.get("origin_name") or file.get("name")
    if kind == "image":
        return values.picture_note(name)
    if kind in ("file", "video"):
        return values.file_note(name)
    if kind == "error":
        return values.text(values.mapping(block.get("error")).get("message"))
    # Where a search's findings are cited, the words cite them; a block that waits holds nothing.
    return "" if kind in ("citation", "unknown", "main_text") else f"[{values.title(kind)}]"


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
