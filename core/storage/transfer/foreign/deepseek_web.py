"""Reader of DeepSeek's web conversations: a mapping of nodes whose messages are of fragments.

A fragment is a REQUEST, THINK or RESPONSE, or names a search. Exports of early 2025 have `content`
and `reasoning_content` instead, without saying whose: questions and answers take turns there.
"""

from collections.abc import Mapping
from typing import Any

from core.models.chat import Role
from core.storage.transfer.foreign import values
from core.storage.transfer.foreign.model import EntryRefusedError, ForeignConversation
from core.storage.transfer.foreign.turns import NodePiece, turns_of

KIND = "deepseek"


def is_one(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry of a file is a conversation of this kind."""
    nodes = entry.get("mapping")
    if not isinstance(nodes, Mapping):
        return False
    messages = (values.mapping(values.mapping(node).get("message")) for node in nodes.values())
    first = next(filter(None, messages), None)
    if first is None:
        return "inserted_at" in entry
    return "fragments" in first or ("author" not in first and "content" in first)


def read(entry: Mapping[str, Any]) -> ForeignConversation:
    """Return the conversation; the branch that is shown is not told, so it is the newest."""
    nodes = entry["mapping"]
    roles = _roles(nodes)
    messages, _ = turns_of(
        {
            node_id: {**values.mapping(node), "role": roles[node_id]}
            for node_id, node in nodes.items()
        },
        _piece,
    )
    title = values.title(entry.get("title"))
    if not messages:
        raise EntryRefusedError("without messages", title)
    return ForeignConversation(
        kind=KIND,
        id=values.identifier(entry.get("id")),
        title=title,
        messages=messages,
        created_at=values.moment(entry.get("inserted_at")),
        updated_at=values.moment(entry.get("updated_at")),
    )


def _roles(nodes: Mapping[str, Any]) -> dict[str, Role]:
    """Return who said what: as the fragments tell, else whoever did not say the one before."""
    roles: dict[str, Role] = {}
    for start in nodes:
        trail = []
        node_id = start
        while node_id in nodes and node_id not in roles:
            trail.append(node_id)
            if len(trail) > len(nodes):  # a circle
                raise EntryRefusedError("its messages follow each other in a circle")
            node_id = values.identifier(values.mapping(nodes[node_id]).get("parent"))
        for one in reversed(trail):
            node = values.mapping(nodes[one])
            before = roles.get(values.identifier(node.get("parent")), "assistant")
            message = values.mapping(node.get("message"))
            other: Role = "user" if before == "assistant" else "assistant"
            roles[one] = _told_role(message) or (other if message else before)
    return roles


def _told_role(message: Mapping[str, Any]) -> Role | None:
    kinds = {values.text(one.get("type")) for one in values.objects(message.get("fragments"))}
    if "REQUEST" in kinds or values.text(message.get("role")).upper() == "USER":
        return "user"
    told = values.text(message.get("role")).upper() == "ASSISTANT"
    return "assistant" if kinds or told or message.get("reasoning_content") else None


def _piece(node: Mapping[str, Any]) -> NodePiece | None:
    message = values.mapping(node.get("message"))
    content: list[str] = []
    reasoning: list[str] = []
    taken_s = None
    for fragment in values.objects(message.get("fragments")):
        kind, said = values.text(fragment.get("type")), values.text(fragment.get("content"))
        if kind in ("REQUEST", "RESPONSE"):
            content.append(said)
        elif kind == "THINK":
            reasoning.append(said)
            taken_s = values.seconds(fragment.get("elapsed_secs")) or taken_s
        else:  # a search, a page that was read
            reasoning.append(_links(fragment, kind, said))
    content.append(values.text(message.get("content")))
    reasoning.append(values.text(message.get("reasoning_content")))
    content += [
        values.file_note(one.get("file_name") or one.get("name"))
        for one in values.objects(message.get("files"))
    ]
    words, thoughts = values.joined(content), values.joined(reasoning)
    if not words and not thoughts:
        return None
    role: Role = node["role"]
    return NodePiece(
        role,
        content=words if role == "assistant" or words else thoughts,
        reasoning=thoughts if role == "assistant" else "",
        at=values.moment(message.get("inserted_at")),
        model=(values.text(message.get("model")) or None) if role == "assistant" else None,
        reasoning_s=taken_s,
    )


def _links(fragment: Mapping[str, Any], kind: str, said: str) -> str:
    links = [
        f"- [{values.title(one.get('title')) or values.text(one.get('url'))}]({one.get('url')})"
        for one in values.objects(fragment.get("results"))
        if values.text(one.get("url"))
    ]
    return values.joined([said, "\n".join(links)]) or f"[{values.title(kind) or '?'}]"
