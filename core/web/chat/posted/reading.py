"""Reading of a posted chat: body, fields, pictures, files; what takes long holds up no stream."""

import asyncio

from core.web.chat.posted.attached import attached_bytes, with_attached
from core.web.chat.posted.body_room import CHAT_BODY_BYTES, CHAT_TEXT_BYTES, HeldBody
from core.web.chat.posted.request import ChatRequest, chat_request_from_json
from core.web.http_call import LARGE_BYTES, HttpCall, too_large
from core.web.studio_bridge import StudioBridge


async def posted_request(
    call: HttpCall, bridge: StudioBridge, held: HeldBody, *, is_openai: bool = False
) -> ChatRequest:
    """Return what a body asks for; HttpCallError where it cannot be had.

    `is_openai`: with messages alone, and thinking where nothing is said of it, as DeepSeek does.
    """
    body = await call.json_object(most_bytes=CHAT_BODY_BYTES, held=held)
    if is_openai:
        body.pop("question", None)
        body.setdefault("messages", [])
    return await request_from(call, bridge, body, thinks=is_openai)


async def request_from(
    call: HttpCall, bridge: StudioBridge, body: dict[str, object], *, thinks: bool = False
) -> ChatRequest:
    """Return what a JSON object asks for, that stood in the call's body."""
    dialect = bridge.dialect(call.owner, thinks=thinks)
    if call.body_size > LARGE_BYTES:
        request = await asyncio.to_thread(chat_request_from_json, body, dialect)
    else:
        request = chat_request_from_json(body, dialect)
    if call.body_size - attached_bytes(request.turns) > CHAT_TEXT_BYTES:
        raise too_large("http.text_too_large", CHAT_TEXT_BYTES)
    return await with_attached(request, call.language)
