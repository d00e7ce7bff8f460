"""Export and import of messages of parts, and of the bytes they point to."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.models.chat import Message, Turn
from core.models.parts import (
    Blob,
    FilePart,
    PicturePart,
    TextPart,
    ToolCall,
    ToolResult,
    lookup_in,
    steps_in,
)
from core.storage.chat.kept_steps import STEPS_MOST
from core.storage.store import Store
from core.storage.transfer import file as transfer_file
from core.storage.transfer.imports import ImportResult
from tests.conftest import Clock
from tests.unit.chat.test_message_parts import ask, end
from tests.unit.chat.test_store_transfer import C, M, spoil

PICTURE = Blob(b"\x89PNG\r\n\x1a\n\x00\xff", "image/png")
PDF = Blob(b"%PDF-\xff\x00", "application/pdf")
QUESTION = Turn(
    "user",
    (
        PicturePart(sha256=PICTURE.sha256, name="猫.png", detail="low"),
        TextPart("这些"),
        FilePart("a.pdf", "从中读到的", "application/pdf", PDF.sha256),
        TextPart("是什么？"),
        PicturePart("https://e.example/a.png"),
    ),
)
CALL = (TextPart("我查查。"), ToolCall("a", "find", '{"q":"猫"}'))
RESULT = Turn("tool", (ToolResult("a", "找到了", "find"),))
HERE = "ada"


def bring_in(store: Store, payload: object, owner: str = HERE) -> ImportResult:
    return store.imports.import_file(owner, io.BytesIO(json.dumps(payload).encode()))


@pytest.fixture
def exported(tmp_path: Path, clock: Clock) -> Any:
    """A question with everything attached, a tool call, its result, and an answer."""
    store = Store.open(tmp_path / "other.db", clock=clock)
    _, answer = ask(store, QUESTION, PICTURE, PDF)
    _, again = ask(store, RESULT, parent=end(store, answer, *CALL))
    end(store, again, TextPart("一只猫。"))
    payload = store.exports.conversations("ada")
    pieces = json.loads(b"".join(store.exports.pieces("ada")))
    assert pieces["conversations"] == payload["conversations"]
    store.close()
    return pieces


def path_of(store: Store, owner: str = HERE) -> tuple[Message, ...]:
    (conversation,) = store.conversations.list(owner).items
    return store.messages.path(owner, conversation.id)


@pytest.mark.parametrize("most", [1, 200])
def test_parts_and_their_bytes_travel(
    store: Store, exported: Any, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_file, "PART_MESSAGES", most)
    for owner in (HERE, "bob"):  # whose messages get other ids
        assert bring_in(store, exported, owner).messages_added == 4
        assert [one.said() for one in path_of(store, owner)] == [
            QUESTION.content,
            CALL,
            RESULT.content,
            (TextPart("一只猫。"),),
        ]
        assert path_of(store, owner)[0].content == "这些\n是什么？"
        assert store.messages.blob(owner, PICTURE.sha256) == PICTURE
        assert store.messages.blob(owner, PDF.sha256) == PDF
    exported["conversations"][0]["origin"] = "import"
    again = store.exports.conversations(HERE)
    assert again["conversations"] == exported["conversations"]
    assert bring_in(store, exported).messages_added == 0


def test_a_hash_without_its_bytes_shows_nothing(store: Store, exported: Any) -> None:
    bring_in(store, exported, "bob")
    del exported[C][0][M][0]["blobs"]
    bring_in(store, exported)
    assert path_of(store)[0].parts == QUESTION.content
    assert store.messages.blob(HERE, PICTURE.sha256) is None


def test_bytes_that_no_part_points_to_are_not_kept(store: Store, exported: Any) -> None:
    forged = {"media_type": "image/png", "content": base64.b64encode(b"forged").decode()}
    exported[C][0][M][0]["blobs"] = [forged | {"sha256": PICTURE.sha256}]
    bring_in(store, exported)
    assert store.messages.blob(HERE, PICTURE.sha256) is None
    assert store.messages.blob(HERE, Blob(b"forged", "").sha256) is None


def test_the_text_of_a_message_is_that_of_its_parts(store: Store, exported: Any) -> None:
    exported[C][0][M][0]["content"] = "什么都没有"
    bring_in(store, exported)
    assert path_of(store)[0].content == "这些\n是什么？"


@pytest.mark.parametrize("state", ["wanted", "asked", "found", "empty", "refused"])
def test_no_look_into_the_web_waits_in_a_file(store: Store, exported: Any, state: str) -> None:
    look = {"type": "lookup", "kind": "fetch", "query": "https://e.example/", "state": state}
    exported[C][0][M][0]["parts"] = [{"type": "text", "text": "读它"}, look]
    bring_in(store, exported)
    kept = lookup_in(path_of(store)[0].parts)
    assert kept is not None
    assert kept.state == ("refused" if state == "wanted" else state)


def test_steps_of_a_file_cost_nothing_here_wait_for_nobody_and_are_few(
    store: Store, exported: Any
) -> None:
    step = {"type": "step", "id": "a", "name": "draw", "arguments": "{}", "turn": "1"}
    costs = {"line_id": "l", "amount": "0.5", "currency": "CNY"}
    states = ["done", "failed", "refused", "running", "proposed", "stopped", "bought"]
    exported[C][0][M][1]["parts"] = [
        {"type": "text", "text": "画好了"},
        *(step | costs | {"state": state} for state in states),
        *[step] * 10_000,
    ]
    bring_in(store, exported)
    steps = steps_in(path_of(store)[1].parts)
    assert len(steps) == STEPS_MOST
    assert {(one.line_id, one.amount, one.currency) for one in steps} == {("", "", "")}
    kept = ["done", "failed", "refused", "stopped", "stopped", "stopped", "stopped"]
    assert [one.state for one in steps[: len(kept)]] == kept


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("parts",), {}, "message 1.*parts.*not a list"),
        (("parts", 0), {"type": "film"}, "none of those there are"),
        (("parts", 0, "url"), 5, "none of those there are"),
        (("parts", 2), {"type": "file"}, "none of those there are"),
        (("blobs",), "x", "blobs.*not a list"),
        (("blobs", 0), 5, "not an object"),
        (("blobs", 0, "content"), "ä", "not base64"),
        (("blobs", 0, "content"), "abc", "not base64"),
        (("blobs", 0, "media_type"), None, "not a text"),
    ],
)
def test_malformed_parts_are_refused_with_the_place(
    store: Store,
    exported: Any,
    path: tuple[str | int, ...],
    value: object,
    words: str,
) -> None:
    with pytest.raises(InputError, match=words):
        bring_in(store, spoil(exported, (C, 0, M, 0, *path), value))
    assert store.conversations.count(HERE) == 0
