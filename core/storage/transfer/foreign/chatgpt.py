"""Reader of ChatGPT's conversations: a mapping of nodes, each with its message, parent, children.

Seen in exports of 2023 to 2026: `content_type` text, multimodal_text, code, execution_output,
thoughts, reasoning_recap, tether_quote, tether_browsing_display, system_error,
user_editable_context, model_editable_context. What a person never saw stays out.
"""

from collections.abc import Mapping
from typing import Any

from core.models.chat import AnswerStatus
from core.storage.transfer.foreign import values
from core.storage.transfer.foreign.model import EntryRefusedError, ForeignConversation
from core.storage.transfer.foreign.turns import NodePiece, turns_of

KIND = "chatgpt"

_HIDDEN_TYPES = ("user_editable_context", "model_editable_context", "reasoning_recap")
_STATUSES = {
    "in_progress": AnswerStatus.INTERRUPTED,
    "finished_partial_completion": AnswerStatus.STOPPED,
}


def is_one(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry of a file is a conversation of this kind."""
    return isinstance(entry.get("mapping"), Mapping)


def read(entry: Mapping[str, Any]) -> ForeignConversation:
    """Return the conversation."""
    messages, places = turns_of(entry["mapping"], _piece)
    current = values.identifier(entry.get("current_node"))
    title = values.title(entry.get("title"))
    if not messages:
        raise EntryRefusedError("without messages", title)
    default = values.text(entry.get("default_model_slug")) or None
    for message in messages:
        if message.role == "assistant":
            message.model = message.model or default
    return ForeignConversation(
        kind=KIND,
        id=values.identifier(entry.get("conversation_id") or entry.get("id")),
        title=title,
        messages=messages,
        created_at=values.moment(entry.get("create_time")),
        updated_at=values.moment(entry.get("update_time")),
        head=places.get(current) or None,
    )


def _piece(node: Mapping[str, Any]) -> NodePiece | None:
    message = values.mapping(node.get("message"))
    content = values.mapping(message.get("content"))
    metadata = values.mapping(message.get("metadata"))
    author = values.mapping(message.get("author"))
    role = values.text(author.get("role"))
    kind = values.text(content.get("content_type")) or "text"
    # A weight of 0 marks what the model no longer sees; people still do.
    if not content or role not in ("user", "assistant", "tool") or kind in _HIDDEN_TYPES:
        return None
    if metadata.get("is_visually_hidden_from_conversation") is True:
        return None
    at = values.moment(message.get("create_time"))
    said = _words(kind, content, metadata)
    if not said.strip():
        return None
    if role == "user":
        return NodePiece("user", content=said, at=at)
    to_tool = values.text(message.get("recipient")) not in ("", "all")
    if role == "tool" and values.picture_note() in said:  # one that was made, and shown
        return NodePiece("assistant", content=said, at=at)
    if role == "tool" or to_tool or kind == "thoughts":
        name = values.text(author.get("name")) if role == "tool" else ""
        thought = said if kind == "thoughts" else _noted(name or message.get("recipient"), said)
        return NodePiece(
            "assistant",
            reasoning=thought,
            at=at,
            reasoning_s=values.seconds(metadata.get("finished_duration_sec")),
        )
    return NodePiece(
        "assistant",
        content=said,
        at=at,
        model=values.text(metadata.get("model_slug")) or None,
        status=_STATUSES.get(values.text(message.get("status")), AnswerStatus.COMPLETE),
    )


def _words(kind: str, content: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    if kind == "thoughts":
        return values.joined([_thought(one) for one in values.objects(content.get("thoughts"))])
    if kind == "code":
        code = values.text(content.get("text")) or _parts(content)
        language = values.text(content.get("language"))
        return _fenced(code, "" if language == "unknown" else language)
    if kind == "execution_output":
        return _fenced(values.text(content.get("text")), "")
    named = [
        values.file_note(one.get("name"))
        for one in values.objects(metadata.get("attachments"))
        if not values.text(one.get("mime_type")).startswith("image/")
    ]
    other = (values.text(content.get(name)) for name in ("text", "result", "summary"))
    said = _parts(content) or next(filter(None, other), "")
    return values.joined([said, *named]) or (f"[{kind}]" if kind != "text" else "")


def _parts(content: Mapping[str, Any]) -> str:
    return values.joined([_part(one) for one in values.entries(content.get("parts"))], "\n")


def _part(part: object) -> str:
    if isinstance(part, str):
        return part
    one = values.mapping(part)
    kind = values.text(one.get("content_type"))
    if kind == "image_asset_pointer":
        return values.picture_note()
    # Spoken words are written down; the sound itself stands beside them.
    return values.text(one.get("text")) or (values.file_note(kind) if kind else "")


def _thought(thought: Mapping[str, Any]) -> str:
    content = values.text(thought.get("content"))
    if not content.strip():
        content = values.joined([values.text(x) for x in values.entries(thought.get("chunks"))], "")
    return content or values.text(thought.get("summary"))


def _noted(name: object, said: str) -> str:
    return f"**{values.title(name)}**\n\n{said}" if values.title(name) else said


def _fenced(code: str, language: str) -> str:
    if not code.strip():
        return ""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}{language}\n{code}\n{fence}"
