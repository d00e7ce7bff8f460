"""One small export of each kind, in the shapes their apps write, and what is to come of it.

Each has two conversations. The first branches where its app has branches, thinks, and holds what
must stay out; `HIDDEN` stands wherever that is.
"""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

HIDDEN = "hidden-context"

Json = dict[str, Any]
Path = list[tuple[str, str, str]]  # role, content, reasoning


@dataclass(frozen=True)
class Sample:
    """A kind's entries, the file around them, and the path shown of the first conversation."""

    entries: Callable[[], list[Json]]
    file: Callable[[list[Any]], Any]
    path: Path
    messages: int  # of both conversations, in all branches
    model: str
    year: int


def zipped(members: dict[str, Any]) -> bytes:
    """Return a zip of JSON values, and of bytes as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in members.items():
            archive.writestr(name, value if isinstance(value, bytes) else json.dumps(value))
    return out.getvalue()


# -- ChatGPT


def node(node_id: str, parent: str | None, children: list[str], **message: Any) -> Json:
    """Return a node of ChatGPT's mapping; without words about a message it has none."""
    inner = None
    if message:
        role = message.pop("role")
        inner = {
            "id": node_id,
            "author": {"role": role, "name": message.pop("name", None), "metadata": {}},
            "create_time": message.pop("create_time", None),
            "content": message.pop("content"),
            "status": "finished_successfully",
            "weight": 1.0,
            "metadata": message.pop("metadata", {}),
            "recipient": message.pop("recipient", "all"),
        }
    return {"id": node_id, "parent": parent, "children": children, "message": inner}


def words(*parts: Any, kind: str = "text") -> Json:
    return {"content_type": kind, "parts": list(parts)}


def chatgpt() -> list[Json]:
    at = 1756100000.5
    gpt = {"model_slug": "gpt-x"}
    nodes = [
        node("root", None, ["sys"]),
        node("sys", "root", ["ctx"], role="system", content=words(HIDDEN)),
        node(
            "ctx",
            "sys",
            ["q"],
            role="user",
            content={"content_type": "user_editable_context", "user_profile": HIDDEN},
            metadata={"is_visually_hidden_from_conversation": True},
        ),
        node("q", "ctx", ["old", "think"], role="user", content=words("Where to?"), create_time=at),
        node("old", "q", [], role="assistant", content=words("Home."), metadata=gpt),
        node(
            "think",
            "q",
            ["call"],
            role="assistant",
            content={
                "content_type": "thoughts",
                "thoughts": [{"summary": "s", "content": "Sea or hills."}],
            },
            create_time=at + 1,
        ),
        node(
            "call",
            "think",
            ["ran"],
            role="assistant",
            recipient="python",
            content={"content_type": "code", "language": "python", "text": "print(1)"},
        ),
        node(
            "ran",
            "call",
            ["recap"],
            role="tool",
            name="python",
            content={"content_type": "execution_output", "text": "1"},
        ),
        node(
            "recap",
            "ran",
            ["a"],
            role="assistant",
            content={"content_type": "reasoning_recap", "content": "Thought for 3 seconds"},
        ),
        node("a", "recap", ["q2"], role="assistant", content=words("The sea."), metadata=gpt),
        node(
            "q2",
            "a",
            ["a2"],
            role="user",
            content=words(
                {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"},
                "Look.",
                kind="multimodal_text",
            ),
        ),
        node("a2", "q2", [], role="assistant", content=words("A wave.", ""), metadata=gpt),
    ]
    first = {
        "title": "Sea trip",
        "create_time": at,
        "update_time": at + 100,
        "mapping": {one["id"]: one for one in nodes},
        "current_node": "a2",
        "conversation_id": "c1",
        "id": "c1",
        "default_model_slug": "gpt-y",
    }
    second = [
        node("r", None, ["m1"]),
        node("m1", "r", ["m2"], role="user", content=words("Hi")),
        node("m2", "m1", [], role="assistant", content=words("Hello")),
    ]
    return [
        first,
        {"id": "c2", "title": None, "create_time": at, "mapping": {n["id"]: n for n in second}},
    ]


# -- DeepSeek's web chat


def deepseek() -> list[Json]:
    def fragments(*pairs: tuple[str, str], minute: int) -> Json:
        return {
            "files": [],
            "model": "deepseek-reasoner",
            "inserted_at": f"2025-04-29T12:{minute:02}:00.635000+08:00",
            "fragments": [{"type": kind, "content": said} for kind, said in pairs],
        }

    def at(node_id: str, parent: str | None, children: list[str], message: Json | None) -> Json:
        return {"id": node_id, "parent": parent, "children": children, "message": message}

    nodes = [
        at("root", None, ["1"], None),
        at("1", "root", ["2", "3"], fragments(("REQUEST", "Where to?"), minute=1)),
        at("2", "1", [], fragments(("RESPONSE", "Home."), minute=2)),
        at(
            "3",
            "1",
            ["4"],
            fragments(("THINK", "Sea or hills."), ("RESPONSE", "The sea."), minute=3),
        ),
        at("4", "3", ["5"], fragments(("REQUEST", "When?"), minute=4)),
        at("5", "4", [], fragments(("SEARCH", ""), ("RESPONSE", "In May."), minute=5)),
    ]
    nodes[5]["message"]["fragments"][0]["results"] = [{"url": "https://e.x/", "title": "May"}]
    old = {
        "root": at("root", None, ["1"], None),
        "1": at("1", "root", ["2"], {"model": "deepseek-chat", "content": "Hi"}),
        "2": at("2", "1", [], {"model": "deepseek-chat", "content": "Hello"}),
    }
    common = {
        "inserted_at": "2025-04-29T11:59:11.635000+08:00",
        "updated_at": "2025-04-29T12:44:11.402000+08:00",
    }
    return [
        {"id": "d1", "title": "Sea trip", **common, "mapping": {n["id"]: n for n in nodes}},
        {"id": "d2", "title": "", **common, "mapping": old},
    ]


# -- Open WebUI


def open_webui() -> list[Json]:
    thought = (
        '<details type="reasoning" done="true" duration="4">\n<summary>Thought for 4 seconds'
        "</summary>\n&gt; Sea or hills.\n</details>\n"
    ).replace("&gt;", ">")
    said: list[dict[str, Any]] = [
        {
            "id": "1",
            "parentId": None,
            "childrenIds": ["3", "2"],
            "role": "user",
            "content": "Where to?",
        },
        {
            "id": "2",
            "parentId": "1",
            "childrenIds": ["4"],
            "role": "assistant",
            "content": thought + "The sea.",
            "model": "m",
        },
        {
            "id": "3",
            "parentId": "1",
            "childrenIds": [],
            "role": "assistant",
            "content": "Home.",
            "model": "m",
        },
        {
            "id": "4",
            "parentId": "2",
            "childrenIds": ["5"],
            "role": "user",
            "content": "When?",
            "files": [
                {"type": "image", "name": "sea.png", "url": "data:image/png;base64," + "A" * 4000}
            ],
        },
        {
            "id": "5",
            "parentId": "4",
            "childrenIds": [],
            "role": "assistant",
            "content": "In <May>.",
            "model": "m",
        },
    ]
    for number, one in enumerate(said):
        one["timestamp"] = 1785578400 + number
    chat = {
        "title": "Sea trip",
        "models": ["m"],
        "params": {},
        "history": {"currentId": "5", "messages": {one["id"]: one for one in said}},
        "messages": [said[0], said[1], said[3], said[4]],
    }
    flat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    return [
        {
            "id": "w1",
            "title": "Sea trip",
            "created_at": 1785578400,
            "updated_at": 1785578405,
            "chat": chat,
        },
        {"id": "w2", "title": "Two", "created_at": 1785578400, "chat": {"messages": flat}},
    ]


# -- LibreChat


def librechat() -> list[Json]:
    none = "00000000-0000-0000-0000-000000000000"
    sea = [{"type": "think", "think": "Sea or hills."}, {"type": "text", "text": "The sea."}]
    tail = {
        "messageId": "4",
        "parentMessageId": "3",
        "isCreatedByUser": True,
        "text": "When?",
        "children": [
            {
                "messageId": "5",
                "parentMessageId": "4",
                "isCreatedByUser": False,
                "text": "In May.",
                "model": "m",
                "createdAt": "2025-04-29T12:05:00.000Z",
            }
        ],
    }
    tree = {
        "messageId": "1",
        "parentMessageId": none,
        "isCreatedByUser": True,
        "text": "Where to?",
        "sender": "User",
        "createdAt": "2025-04-29T12:01:00.000Z",
        "children": [
            {"messageId": "2", "parentMessageId": "1", "isCreatedByUser": False, "text": "Home."},
            {
                "messageId": "3",
                "parentMessageId": "1",
                "isCreatedByUser": False,
                "text": "",
                "content": sea,
                "model": "m",
                "children": [tail],
            },
        ],
    }
    flat = [
        {"messageId": "1", "parentMessageId": none, "isCreatedByUser": True, "text": "Hi"},
        {"messageId": "2", "parentMessageId": "1", "sender": "GPT", "text": "Hello"},
    ]
    common = {
        "endpoint": "openAI",
        "exportAt": "10:00:00 GMT+0000",
        "branches": True,
        "options": {},
    }
    return [
        {
            "conversationId": "l1",
            "title": "Sea trip",
            **common,
            "recursive": True,
            "messages": [tree],
        },
        {"conversationId": "l2", "title": "Two", **common, "recursive": False, "messages": flat},
    ]


# -- NextChat


def nextchat() -> list[Json]:
    def said(message_id: str, role: str, content: Any, date: str) -> Json:
        model = {"model": "m"} if role == "assistant" else {}
        return {"id": message_id, "role": role, "content": content, "date": date, **model}

    return [
        {
            "id": "n1",
            "topic": "Sea trip",
            "memoryPrompt": HIDDEN,
            "stat": {},
            "lastSummarizeIndex": 0,
            "lastUpdate": 1745899505000,
            "mask": {"id": "x", "context": [], "modelConfig": {"model": "m"}},
            "messages": [
                said("1", "user", "Where to?", "29/04/2025, 12:01:00"),
                said(
                    "2",
                    "assistant",
                    "<think>\nSea or hills.\n</think>\n\nThe sea.",
                    "29/04/2025, 12:02:00",
                ),
                said(
                    "3",
                    "user",
                    [
                        {"type": "text", "text": "When?"},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
                    ],
                    "29/04/2025, 12:04:00",
                ),
                said("4", "assistant", "In May.", "29/04/2025, 12:05:05"),
            ],
        },
        {
            "id": "n2",
            "topic": "Two",
            "lastUpdate": 1745899505000,
            "mask": {},
            "messages": [said("1", "user", "Hi", ""), said("2", "assistant", "Hello", "")],
        },
    ]


def nextchat_file(sessions: list[Any]) -> Json:
    return {
        "access-control": {"openaiApiKey": HIDDEN},
        "chat-next-web-store": {"sessions": sessions, "currentSessionIndex": 0},
        "app-config": {"models": []},
        "mask-store": {},
    }


# -- Cherry Studio

_BLOCKS: dict[str, Json] = {
    "b1": {"type": "main_text", "content": "Where to?"},
    "b2": {"type": "thinking", "content": "Sea or hills.", "thinking_millsec": 4000},
    "b3": {"type": "main_text", "content": "The sea."},
    "b4": {"type": "main_text", "content": "Home."},
    "b5": {"type": "main_text", "content": "When?"},
    "b6": {"type": "main_text", "content": "In May."},
    "b7": {"type": "citation", "response": {}},
}


def cherry_studio() -> list[Json]:
    def said(message_id: str, role: str, *blocks: str, **more: Any) -> Json:
        at = f"2025-04-29T12:0{message_id}:00.000Z"
        return {"id": message_id, "role": role, "blocks": list(blocks), "createdAt": at, **more}

    model = {"model": {"id": "m", "name": "M"}}
    return [
        {
            "id": "t1",
            "messages": [
                said("1", "user", "b1"),
                said("2", "assistant", "b4", askId="1", **model),
                said("3", "assistant", "b2", "b3", askId="1", foldSelected=True, **model),
                said("4", "user", "b5"),
                said("5", "assistant", "b6", "b7", askId="4", **model),
            ],
        },
        {
            "id": "t2",
            "messages": [
                {"id": "6", "role": "user", "content": "Hi"},
                {"id": "7", "role": "assistant", "content": "Hello"},
            ],
        },
    ]


def cherry_file(topics: list[Any]) -> Json:
    assistants = {
        "defaultAssistant": {"id": "default", "topics": []},
        "assistants": [{"id": "a", "topics": [{"id": "t1", "name": "Sea trip"}]}],
    }
    persisted = {"llm": HIDDEN, "assistants": json.dumps(assistants)}
    return {
        "time": 1745899505000,
        "version": 5,
        "localStorage": {"persist:cherry-studio": json.dumps(persisted), "other": "x"},
        "indexedDB": {
            "files": [],
            "topics": topics,
            "settings": [{"id": "image://avatar", "value": ""}],
            "message_blocks": [{"id": name, **block} for name, block in _BLOCKS.items()],
        },
    }


def cherry_zip(topics: list[Any]) -> bytes:
    return zipped({"data.json": cherry_file(topics), "Data/Files/a.png": b"\x89PNG"})


def chatgpt_zip(entries: list[Any]) -> bytes:
    return zipped(
        {
            "user.json": {"id": "user", "email": HIDDEN},
            "message_feedback.json": [{"id": "f", "conversation_id": "c1"}],
            "conversations-000.json": entries[:1],
            "conversations-001.json": entries[1:],
            "chat.html": b"<html>",
            "file-1.png": b"\x89PNG",
        }
    )


def deepseek_zip(entries: list[Any]) -> bytes:
    return zipped({"user.json": {"mobile": HIDDEN}, "conversations.json": entries})


def as_list(entries: list[Any]) -> list[Any]:
    return entries


_SEA: Path = [
    ("user", "Where to?", ""),
    ("assistant", "The sea.", "Sea or hills."),
    ("user", "When?", ""),
    ("assistant", "In May.", ""),
]
_RAN = "Sea or hills.\n\n**python**\n\n```python\nprint(1)\n```\n\n**python**\n\n```\n1\n```"
_CHATGPT: Path = [
    _SEA[0],
    ("assistant", "The sea.", _RAN),
    ("user", "🖼\nLook.", ""),
    ("assistant", "A wave.", ""),
]
_DEEPSEEK: Path = [*_SEA[:3], ("assistant", "In May.", "- [May](https://e.x/)")]

SAMPLES = {
    "chatgpt": Sample(chatgpt, as_list, _CHATGPT, 7, "gpt-x", 2025),
    "chatgpt-zip": Sample(chatgpt, chatgpt_zip, _CHATGPT, 7, "gpt-x", 2025),
    "deepseek": Sample(deepseek, as_list, _DEEPSEEK, 7, "deepseek-reasoner", 2025),
    "deepseek-zip": Sample(deepseek, deepseek_zip, _DEEPSEEK, 7, "deepseek-reasoner", 2025),
    "open-webui": Sample(
        open_webui,
        as_list,
        [*_SEA[:2], ("user", "When?\n\n🖼 sea.png", ""), ("assistant", "In <May>.", "")],
        7,
        "m",
        2026,
    ),
    "librechat": Sample(librechat, as_list, _SEA, 7, "m", 2025),
    "nextchat": Sample(
        nextchat, nextchat_file, [*_SEA[:2], ("user", "When?\n🖼", ""), _SEA[3]], 6, "m", 2025
    ),
    "cherry-studio": Sample(cherry_studio, cherry_file, _SEA, 7, "m", 2025),
    "cherry-studio-zip": Sample(cherry_studio, cherry_zip, _SEA, 7, "m", 2025),
}
