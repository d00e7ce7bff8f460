"""Reader of LibreChat's export: one conversation a file, its messages flat or as nested trees.

`text` is what was said before content parts; thoughts stood there between `:::thinking` and `:::`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from core.models.chat import AnswerStatus
from core.storage.transfer.foreign import values
from core.storage.transfer.foreign.model import (
    EntryRefusedError,
    ForeignConversation,
    ForeignMessage,
)

KIND = "librechat"

_NO_PARENT = "00000000-0000-0000-0000-000000000000"
_THOUGHTS, _THOUGHTS_END = ":::thinking", "\n:::"


def is_one(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry of a file is a conversation of this kind."""
    said = entry.get("messagesTree", entry.get("messages"))
    return "conversationId" in entry and isinstance(said, list)


def read(entry: Mapping[str, Any]) -> ForeignConversation:
    """Return the conversation; which branch was shown is not told, so it is the newest."""
    options = values.mapping(entry.get("options"))
    title = values.title(entry.get("title"))
    messages: list[ForeignMessage] = []
    inherited: dict[str, str | None] = {}
    for node, parent in _flat(entry.get("messagesTree") or entry.get("messages")):
        message = _message(node, parent, len(messages) + len(inherited))
        message.parent = inherited.get(message.parent or "", message.parent)
        if message.content or message.reasoning:
            messages.append(message)
        else:
            inherited[message.id] = message.parent
    if not messages:
        raise EntryRefusedError("without messages", title)
    return ForeignConversation(
        kind=KIND,
        id=values.identifier(entry.get("conversationId")),
        title=title,
        messages=messages,
        created_at=values.moment(entry.get("createdAt")),
        updated_at=values.moment(entry.get("updatedAt")),
        system_prompt=values.text(options.get("promptPrefix"))
        or values.text(options.get("system")),
    )


def _flat(messages: object) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    """Yield messages with what they are under: told by each, else by the nesting or the order."""
    waiting: list[tuple[Mapping[str, Any], str | None]] = [
        (one, None) for one in reversed(list(values.objects(messages)))
    ]
    nests = any(values.entries(one.get("children")) for one, _ in waiting)
    before: str | None = None
    while waiting:
        node, parent = waiting.pop()
        told = values.identifier(node.get("parentMessageId"))
        if told:
            parent = None if told == _NO_PARENT else told
        elif parent is None and not nests:
            parent = before
        yield node, parent
        before = values.identifier(node.get("messageId")) or None
        children = list(values.objects(node.get("children")))
        waiting += ((child, before) for child in reversed(children))


def _message(node: Mapping[str, Any], parent: str | None, at: int) -> ForeignMessage:
    is_question = node.get("isCreatedByUser") is True
    if "isCreatedByUser" not in node:
        is_question = values.text(node.get("sender")).lower() == "user"
    content, reasoning = _parts(node.get("content"))
    if not content and not reasoning:
        content, reasoning = _split(values.text(node.get("text")))
    notes = [
        values.picture_note(one.get("filename"))
        if values.text(one.get("type")).startswith("image/")
        else values.file_note(one.get("filename"))
        for one in values.objects(node.get("files"))
    ]
    is_cut = node.get("unfinished") is True or node.get("error") is True
    return ForeignMessage(
        id=values.identifier(node.get("messageId")) or str(at),
        parent=parent,
        role="user" if is_question else "assistant",
        content=values.joined([content, *notes]),
        reasoning="" if is_question else reasoning,
        at=values.moment(node.get("createdAt")),
        model=None if is_question else values.text(node.get("model")) or None,
        status=AnswerStatus.INTERRUPTED if is_cut else AnswerStatus.COMPLETE,
    )


def _parts(content: object) -> tuple[str, str]:
    """Return words and thoughts of content parts."""
    if isinstance(content, str):
        return _split(content)
    said: list[str] = []
    thoughts: list[str] = []
    for part in values.objects(content):
        kind = values.text(part.get("type"))
        value = part.get(kind) if kind else part.get("text")
        inner = values.text(value) or values.text(values.mapping(value).get("value"))
        if kind == "think":
            thoughts.append(inner)
        elif kind == "tool_call":
            thoughts.append(_tool(values.mapping(value)))
        elif kind in ("text", "error", ""):
            said.append(inner)
        elif "image" in kind:
            said.append(values.picture_note(values.mapping(value).get("filename")))
        else:
            said.append(values.file_note(values.mapping(value).get("filename") or kind))
    return values.joined(said), values.joined(thoughts)


def _tool(call: Mapping[str, Any]) -> str:
    function = values.mapping(call.get("function"))
    name = values.title(call.get("name") or function.get("name"))
    arguments = values.text(call.get("args") or function.get("arguments"))
    output = values.text(call.get("output") or function.get("output"))
    return values.joined([f"**{name or '?'}**", arguments, output])


def _split(text: str) -> tuple[str, str]:
    """Return words and thoughts of a text as it was before there were parts."""
    begin = text.find(_THOUGHTS)
    if begin >= 0 and not text[:begin].strip():
        thoughts, end, said = text[begin + len(_THOUGHTS) :].partition(_THOUGHTS_END)
        if end:
            return said.strip("\n"), thoughts.strip()
    tagged, said = values.split_thinking(text)
    return said, tagged
