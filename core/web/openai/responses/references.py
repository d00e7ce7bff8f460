"""References to items of earlier responses: AI SDK sends these in place of what it was told.

Every answer is in the history, so an item is found by its id: the answer's, and a number.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from core.errors import StoreError
from core.models.chat import Message
from core.models.parts import ToolCall
from core.web.http_call import HttpCall, HttpCallError
from core.web.http_errors import STORE_TEXT_ID
from core.web.openai.responses.objects import Json, call_item, message_item, reasoning_item
from core.web.studio_bridge import StudioBridge

_ID = re.compile(r"(rs|msg|fc)_([0-9a-f]{32})(?:_(\d{1,4}))?")


async def with_references(
    body: Mapping[str, Any], call: HttpCall, bridge: StudioBridge
) -> dict[str, Any]:
    """Return a body with the items in place of what refers to them."""
    asked = body.get("input")
    if not isinstance(asked, list) or not any(map(_is_reference, asked)):
        return dict(body)
    items = []
    for place, item in enumerate(asked):
        found = await _item(item, call, bridge) if _is_reference(item) else item
        if found is None:
            name = f"input[{place}].id"
            raise HttpCallError(400, "http.no_such_item", facts={"field": name}, field=name)
        items.append(found)
    return {**body, "input": items}


def _is_reference(item: object) -> bool:
    return isinstance(item, dict) and item.get("type") == "item_reference"


async def _item(item: Json, call: HttpCall, bridge: StudioBridge) -> Json | None:
    found = _ID.fullmatch(str(item.get("id")))
    if found is None:
        return None
    kind, answer_id, number = found[1], found[2], int(found[3] or 0)
    message = await _answer(answer_id, call.owner, bridge)
    if message is None or message.role != "assistant":
        return None
    if kind == "rs":
        return reasoning_item(found[0], message.reasoning_content)
    if kind == "msg":
        return message_item(found[0], message.content)
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if number >= len(calls):
        return None
    one = calls[number]
    return call_item(found[0], one.id, one.name, one.arguments)


async def _answer(answer_id: str, owner: str, bridge: StudioBridge) -> Message | None:
    live = bridge.studio.answers.live(answer_id)
    if live is not None and live.owner == owner:  # it has ended, and is being written down
        return live.snapshot()
    try:
        return await asyncio.to_thread(bridge.studio.store.messages.get, owner, answer_id)
    except StoreError as error:
        raise HttpCallError(503, STORE_TEXT_ID) from error
