"""Reader of Open WebUI's chats: `history.messages` by id, with `currentId`; older ones a list."""

import html
import re
from collections.abc import Mapping
from typing import Any

from core.storage.transfer.foreign import values
from core.storage.transfer.foreign.model import (
    EntryRefusedError,
    ForeignConversation,
    ForeignMessage,
)

KIND = "open-webui"

_OPENING, _CLOSING = "<details", "</details>"
_SUMMARY = re.compile(r"\s*<summary>.*?</summary>", re.DOTALL)
_TYPE = re.compile(r'\btype="(reasoning|tool_calls|code_interpreter)"')
_DURATION = re.compile(r'\bduration="([\d.]{1,12})"')
_QUOTED = re.compile(r"^> ?", re.MULTILINE)


def is_one(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry of a file is a conversation of this kind."""
    chat = values.mapping(entry.get("chat")) or entry
    history = values.mapping(chat.get("history"))
    has_list = "chat" in entry and isinstance(chat.get("messages"), list)
    return isinstance(history.get("messages"), Mapping) or has_list


def read(entry: Mapping[str, Any]) -> ForeignConversation:
    """Return the conversation."""
    chat = values.mapping(entry.get("chat")) or entry
    history = values.mapping(chat.get("history"))
    title = values.title(entry.get("title") or chat.get("title"))
    nodes = values.mapping(history.get("messages"))
    if nodes:
        said = _in_order(nodes)
    else:  # before there were branches
        said = {}
        before = None
        for at, one in enumerate(values.objects(chat.get("messages"))):
            node_id = values.identifier(one.get("id")) or str(at)
            said[node_id] = {"parentId": before, **one}
            before = node_id
    prompts: list[str] = [values.text(values.mapping(chat.get("params")).get("system"))]
    prompts.append(values.text(chat.get("system")))
    messages, inherited = [], dict[str, str | None]()
    for node_id, node in said.items():
        parent = values.identifier(node.get("parentId")) or None
        message = _message(node_id, parent, node)
        if values.text(node.get("role")) == "system":
            prompts.append(message.content)
            message.content = ""
        if message.content or message.reasoning:
            messages.append(message)
        else:  # what is under it goes on with what it is under
            inherited[node_id] = parent
    for message in messages:
        message.parent = _beyond(message.parent, inherited)
    if not messages:
        raise EntryRefusedError("without messages", title)
    return ForeignConversation(
        kind=KIND,
        id=values.identifier(entry.get("id")) or values.identifier(chat.get("id")),
        title=title,
        messages=messages,
        created_at=values.moment(entry.get("created_at")) or values.moment(chat.get("timestamp")),
        updated_at=values.moment(entry.get("updated_at")),
        head=_beyond(values.identifier(history.get("currentId")) or None, inherited),
        system_prompt=values.joined(list(dict.fromkeys(prompts))),
    )


def _in_order(nodes: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the nodes with siblings as their parent lists them."""
    places: dict[str, int] = {}
    for node in nodes.values():
        for child in values.entries(values.mapping(node).get("childrenIds")):
            places.setdefault(values.identifier(child), len(places))
    ordered = sorted(nodes, key=lambda node_id: places.get(node_id, -1))
    return {node_id: values.mapping(nodes[node_id]) for node_id in ordered}


def _beyond(node_id: str | None, inherited: dict[str, str | None]) -> str | None:
    """Return the nearest that came in: the node itself, or one it is under."""
    passed = set()
    while node_id in inherited and node_id not in passed:
        passed.add(node_id)
        node_id = inherited[node_id]
    return None if node_id in passed else node_id


def _message(node_id: str, parent: str | None, node: Mapping[str, Any]) -> ForeignMessage:
    content = values.parts_text(node.get("content"))
    is_answer = values.text(node.get("role")) != "user"
    reasoning, taken_s = [values.text(node.get("reasoning_content"))], None
    if is_answer:
        content, folded, taken_s = _unfolded(content)
        tagged, content = values.split_thinking(content)
        reasoning += [*folded, tagged]
    notes = [
        values.picture_note(one.get("name"))
        if values.text(one.get("type")) == "image"
        else values.file_note(one.get("name"))
        for one in values.objects(node.get("files"))
    ]
    error = values.mapping(node.get("error")).get("content")
    model = values.text(node.get("model")) or values.text(node.get("modelName"))
    return ForeignMessage(
        id=node_id,
        parent=parent,
        role="assistant" if is_answer else "user",
        content=values.joined([content, values.text(error), *notes]),
        reasoning=values.joined(reasoning),
        at=values.moment(node.get("timestamp")),
        model=(model or None) if is_answer else None,
        reasoning_s=taken_s,
    )


def _unfolded(content: str) -> tuple[str, list[str], float | None]:
    """Take what is folded away, thoughts and tools, out of an answer."""
    shown: list[str] = []
    folded: list[str] = []
    taken_s = None
    at = 0
    # No pattern: one that looks for the end from each beginning takes for ever where none ends.
    while (begin := content.find(_OPENING, at)) >= 0 and (
        end := content.find(_CLOSING, begin)
    ) >= 0:
        attributes, _, inner = content[begin + len(_OPENING) : end].partition(">")
        after = end + len(_CLOSING)
        kind = _TYPE.search(attributes)
        shown.append(content[at : begin if kind else after])
        if kind:
            if duration := _DURATION.search(attributes):
                taken_s = values.seconds(_number(duration[1])) or taken_s
            inner = inner[match.end() :] if (match := _SUMMARY.match(inner)) else inner
            if kind[1] == "tool_calls":
                inner = inner.strip() or " ".join(attributes.split())
            folded.append(html.unescape(_QUOTED.sub("", inner.strip())))
        at = after
    return "".join([*shown, content[at:]]).strip("\n"), folded, taken_s


def _number(digits: str) -> float | None:
    try:
        return float(digits)
    except ValueError:
        return None
