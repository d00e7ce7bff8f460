"""References to items of earlier responses: AI SDK sends these in place of what it was told.

Every answer is in the history, so an item is found by its id: the answer's, and a number.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from msgspec import to_builtins

from core.errors import StoreError
from core.models.chat import Message
from core.models.parts import ToolCall
from core.web.chat.posted.bodies import MESSAGES_MOST
from core.web.chat.posted.body_room import CHAT_BODY_BYTES, CHAT_TEXT_BYTES
from core.web.http_call import HttpCall, HttpCallError, too_large
from core.web.http_errors import STORE_TEXT_ID
from core.web.openai.responses.objects import (
    Json,
    OutputItem,
    call_item,
    message_item,
    reasoning_item,
)
from core.web.studio_bridge import StudioBridge

_ID = re.compile(r"(rs|msg|fc)_([0-9a-f]{32})(?:_(\d{1,4}))?")


async def with_references(
    body: Mapping[str, Any], call: HttpCall, bridge: StudioBridge
) -> dict[str, Any]:
    """Return a body with the items in place of what refers to them; its size grows by theirs."""
    asked = body.get("input")
    if not isinstance(asked, list) or not any(map(_is_reference, asked)):
        return dict(body)
    answers = _Answers(call, bridge)
    items = []
    for place, item in enumerate(asked):
        found = await answers.item(item) if _is_reference(item) else item
        if found is None:
            name = f"input[{place}].id"
            raise HttpCallError(400, "http.no_such_item", facts={"field": name}, field=name)
        items.append(found)
    return {**body, "input": items}


def _is_reference(item: object) -> bool:
    return isinstance(item, dict) and item.get("type") == "item_reference"


class _Answers:
    """The answers that one request refers to: each is looked up once, and few words name much."""

    def __init__(self, call: HttpCall, bridge: StudioBridge) -> None:
        self._call = call
        self._bridge = bridge
        self._found: dict[str, Message | None] = {}

    async def item(self, item: Json) -> Json | None:
        """Return what is referred to; None where there is nothing."""
        named = _ID.fullmatch(str(item.get("id")))
        if named is None:
            return None
        message = await self._answer(named[2])
        if message is None or message.role != "assistant":
            return None
        found = _item_of(message, named[1], named[0], int(named[3] or 0))
        if found is None:
            return None
        made: Json = to_builtins(found)
        self._call.body_size += len(str(made))
        if self._call.body_size > CHAT_BODY_BYTES:
            raise too_large("http.text_too_large", CHAT_TEXT_BYTES)
        return made

    async def _answer(self, answer_id: str) -> Message | None:
        if answer_id not in self._found:
            if len(self._found) >= MESSAGES_MOST:
                facts = {"field": "input", "most": MESSAGES_MOST}
                raise HttpCallError(400, "http.want_messages", facts=facts, field="input")
            self._found[answer_id] = await _answer(answer_id, self._call.owner, self._bridge)
        return self._found[answer_id]


def _item_of(message: Message, kind: str, item_id: str, number: int) -> OutputItem | None:
    if kind == "rs":
        return reasoning_item(item_id, message.reasoning_content)
    if kind == "msg":
        return message_item(item_id, message.content)
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if number >= len(calls):
        return None
    one = calls[number]
    return call_item(item_id, one.id, one.name, one.arguments)


async def _answer(answer_id: str, owner: str, bridge: StudioBridge) -> Message | None:
    live = bridge.studio.answers.live(answer_id)
    if live is not None and live.owner == owner:  # it has ended, and is being written down
        return live.snapshot()
    try:
        return await asyncio.to_thread(bridge.studio.store.messages.get, owner, answer_id)
    except StoreError as error:
        raise HttpCallError(503, STORE_TEXT_ID) from error
