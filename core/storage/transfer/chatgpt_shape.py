"""Export in ChatGPT's shape, a `conversations.json`, which most other chats import.

What stands nowhere there (thoughts, tokens, settings) goes along under `inkling`, in the words of
our own export, so that it comes back whole; others pass over it. Bytes of pictures and files do
not travel this way. Thoughts as nodes of their own would be empty answers to Open WebUI.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.models.chat import AnswerStatus, Conversation, Message
from core.storage.transfer.format import conversation_out, message_out

OURS = "inkling"
ROOT = "client-created-root"

_STATUSES = {
    AnswerStatus.COMPLETE: "finished_successfully",
    AnswerStatus.STOPPED: "finished_partial_completion",
}


def head_out(conversation: Conversation, model: str | None) -> dict[str, object]:
    """Return a conversation's own values; `mapping` and `current_node` follow."""
    return {
        "title": conversation.title,
        "create_time": conversation.created_at.timestamp(),
        "update_time": conversation.updated_at.timestamp(),
        "moderation_results": [],
        "plugin_ids": None,
        "conversation_id": conversation.id,
        "id": conversation.id,
        "is_archived": False,
        "default_model_slug": model,
        OURS: conversation_out(conversation),
    }


def node_out(message: Message, children: Sequence[str]) -> dict[str, object]:
    """Return the node of a message."""
    ours = message_out(message)
    del ours["content"]
    return {
        "id": message.id,
        "message": {
            "id": message.id,
            "author": {"role": message.role, "name": None, "metadata": {}},
            "create_time": message.created_at.timestamp(),
            "update_time": None,
            "content": {"content_type": "text", "parts": [message.content]},
            "status": _STATUSES.get(message.status, "in_progress"),
            "end_turn": True,
            "weight": 1.0,
            "metadata": {"model_slug": message.model, OURS: ours},
            "recipient": "all",
            "channel": None,
        },
        "parent": message.parent_id or ROOT,
        "children": list(children),
    }


def root_out(children: Sequence[str]) -> dict[str, object]:
    """Return the node above the first messages, which holds none."""
    return {"id": ROOT, "message": None, "parent": None, "children": list(children)}


def is_ours(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry of this shape was written here."""
    return isinstance(entry.get(OURS), Mapping) and isinstance(entry.get("mapping"), Mapping)


def messages_in(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the messages in the words of our own export, parents first as they were written."""
    for node_id, node in entry["mapping"].items():
        message = node.get("message") if isinstance(node, Mapping) else None
        if not isinstance(message, Mapping):
            continue
        metadata, content = message.get("metadata"), message.get("content")
        ours = metadata.get(OURS) if isinstance(metadata, Mapping) else None
        parts = content.get("parts") if isinstance(content, Mapping) else None
        yield {
            **(ours if isinstance(ours, Mapping) else {}),
            "id": node_id,
            "parent_id": None if node.get("parent") == ROOT else node.get("parent"),
            # What another program changed in the words is what is meant.
            "content": parts[0] if isinstance(parts, list) and len(parts) == 1 else None,
        }


def conversation_values(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a conversation without its messages in the words of our own export."""
    head = entry.get("current_node")
    return {
        **entry[OURS],
        "id": entry.get("id"),
        "title": entry.get("title"),
        "head_id": None if head == ROOT else head,
    }
