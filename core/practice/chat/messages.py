"""The messages of a practice request: read and put in order as DeepSeek does, or refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.practice.chat.refusal import ChatRefusal, invalid
from core.practice.chat.skills.looking import Seen, look
from core.wire.attachments.block import without_attachments
from core.wire.web.block import without_block

_ROLES = ("system", "user", "assistant", "tool")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message with its text parts joined; what it brings along stands apart."""

    role: str
    content: str
    pictures: tuple[Seen, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()  # ids and names of what an answer called
    call_id: str = ""  # of what a tool's result answers
    web: str = ""
    files: str = ""


def message_from(raw: object, place: int, model: str) -> ChatMessage:
    """Return one message, or raise the refusal."""
    if not isinstance(raw, dict):
        invalid(f"messages[{place}]: expected an object")
    role = raw.get("role")
    if role not in _ROLES:
        expected = ", ".join(f"`{role}`" for role in _ROLES)
        invalid(f"messages[{place}].role: unknown variant `{role}`, expected one of {expected}")
    if role == "tool" and not isinstance(raw.get("tool_call_id"), str):
        invalid(f"messages[{place}]: missing field `tool_call_id`")
    content, calls = raw.get("content"), _calls(raw, place)
    if content is None and role == "assistant":
        return ChatMessage(role, "", calls=calls)
    if isinstance(content, str) and role == "user":
        return _asked(content)
    if isinstance(content, str):
        return ChatMessage(role, content, calls=calls, call_id=raw.get("tool_call_id") or "")
    if not isinstance(content, list) or role != "user":
        invalid(f"messages[{place}].content: expected a string")
    return _parts(content, place, model)


def _parts(parts: list[object], place: int, model: str) -> ChatMessage:
    texts: list[str] = []
    pictures: list[Seen] = []
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(part, dict) and kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif isinstance(part, dict) and kind == "image_url":
            address = part.get("image_url")
            url = address.get("url") if isinstance(address, dict) else None
            pictures.append(look(url if isinstance(url, str) else ""))
        elif kind == "file":
            pictures.append(Seen())
        else:
            invalid(f"messages[{place}].content: unknown part, expected text, image_url or file")
    if pictures and model == "deepseek-v4-pro":
        raise ChatRefusal(400, "deepseek-v4-pro does not take image input")
    return _asked("\n".join(texts), tuple(pictures))


def _asked(text: str, pictures: tuple[Seen, ...] = ()) -> ChatMessage:
    words, web = without_block(text)
    words, files = without_attachments(words)
    return ChatMessage("user", words, pictures, web=web, files=files)


def _calls(raw: Json, place: int) -> tuple[tuple[str, str], ...]:
    calls = raw.get("tool_calls") or []
    read = []
    for call in calls if isinstance(calls, list) else [None]:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(call, dict) or not isinstance(function, dict):
            invalid(f"messages[{place}].tool_calls: expected id, name and arguments")
        if not isinstance(function.get("arguments"), str):
            invalid(f"messages[{place}].tool_calls: expected id, name and arguments")
        read.append((str(call.get("id")), str(function.get("name"))))
    return tuple(read)


def check_order(messages: tuple[ChatMessage, ...]) -> None:
    """Refuse results without a call, and calls without their results."""
    open_ids: set[str] = set()
    for message in messages:
        if message.role == "tool":
            if message.call_id not in open_ids:
                raise ChatRefusal(
                    400,
                    "Messages with role 'tool' must be a response to a preceding message with "
                    "'tool_calls'",
                )
            open_ids.discard(message.call_id)
            continue
        if open_ids:
            break
        open_ids = {call_id for call_id, _ in message.calls}
    if open_ids:
        raise ChatRefusal(
            400,
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'.",
        )
