"""Posted messages to turns: words, pictures, tool calls and their results."""

from core.models.chat import Role, Turn
from core.models.parts import FilePart, Part, PicturePart, TextPart, ToolCall, ToolResult
from core.web.chat.posted import bodies
from core.web.chat.posted.bodies import ImagePart, PostedMessage, RefusalPart
from core.web.chat.posted.bodies import TextPart as PostedText
from core.web.http_call import HttpCallError

# The type of a file that is not read yet: its text is still what was posted of its bytes.
UNREAD = "application/x-unread"
_MORE = ImagePart | bodies.FilePart


def turns_from(messages: list[PostedMessage], *, speaks_deepseek: bool) -> list[Turn]:
    """Return what was said; HttpCallError names the message in which something cannot be had."""
    turns = [
        _turn(message, f"messages[{place}]", speaks_deepseek=speaks_deepseek)
        for place, message in enumerate(messages)
    ]
    for place, turn in enumerate(turns[:-1]):
        if turn.prefix:
            raise _wrong(f"messages[{place}].prefix", "http.prefix_last")
    return turns


def _turn(message: PostedMessage, place: str, *, speaks_deepseek: bool) -> Turn:
    role: Role = "system" if message.role == "developer" else message.role
    for name in ("function_call", "audio"):
        if getattr(message, name):
            raise _wrong(f"{place}.{name}", "http.not_offered")
    if role == "tool":
        return Turn("tool", (_result(message, place),))
    if message.tool_calls and role != "assistant":
        raise _wrong(f"{place}.tool_calls", "http.of_assistants")
    if message.prefix and (role != "assistant" or not speaks_deepseek):
        raise _wrong(f"{place}.prefix", "http.prefix_last" if speaks_deepseek else "http.not_had")
    reasoning = message.reasoning_content
    return Turn(
        role,
        (*_parts(message, place, role), *_calls(message)),
        (isinstance(reasoning, str) and reasoning) or None,
        prefix=bool(message.prefix),
        name=message.name or "",
    )


def _parts(message: PostedMessage, place: str, role: Role) -> list[Part]:
    content = message.content
    if not isinstance(content, list):
        return [TextPart(content)] if content else []
    if any(isinstance(part, _MORE) for part in content):
        if role != "user":
            raise _wrong(f"{place}.content", "http.want_text_only")
        return [_part(part, f"{place}.content[{number}]") for number, part in enumerate(content)]
    text = _text(message)
    return [TextPart(text)] if text else []


def _part(part: PostedText | _MORE | RefusalPart, place: str = "") -> Part:
    if isinstance(part, bodies.FilePart):
        if part.file.file_id:
            raise _wrong(f"{place}.file.file_id", "http.not_offered")
        if not part.file.file_data:
            raise _wrong(f"{place}.file.file_data", "http.want_text")
        return FilePart(part.file.filename or "", part.file.file_data, UNREAD)
    if isinstance(part, ImagePart):
        return PicturePart(url=part.image_url.url, detail=part.image_url.detail or "")
    return TextPart(part.text if isinstance(part, PostedText) else part.refusal)


def _text(message: PostedMessage) -> str:
    content = message.content
    if not isinstance(content, list):
        return content or ""
    told = (_part(part) for part in content)
    return "\n".join(part.text for part in told if isinstance(part, TextPart))


def _calls(message: PostedMessage) -> list[Part]:
    return [
        ToolCall(call.id, call.function.name, call.function.arguments)
        for call in message.tool_calls or ()
    ]


def _result(message: PostedMessage, place: str) -> ToolResult:
    if not message.tool_call_id:
        raise _wrong(f"{place}.tool_call_id", "http.want_text")
    if isinstance(message.content, list) and any(
        isinstance(part, _MORE) for part in message.content
    ):
        raise _wrong(f"{place}.content", "http.want_text_only")
    return ToolResult(message.tool_call_id, _text(message), message.name or "")


def _wrong(name: str, text_id: str) -> HttpCallError:
    return HttpCallError(400, text_id, facts={"field": name}, field=name)
