"""Export files that are read and written piece by piece: the same as whole ones, and flat."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from core.errors import InputError
from core.models.chat import AnswerStatus
from core.storage.db.database import Database
from core.storage.db.schema import messages
from core.storage.store import Store
from core.storage.transfer import file as transfer_file
from core.storage.transfer import imports as transfer
from core.storage.transfer import json_events
from core.storage.transfer.format import VERSION
from core.storage.transfer.imports import ImportResult
from tests.unit.chat.test_store_transfer import bring_in, exported, spoil

__all__ = ["exported"]  # a fixture


def written(store: Store, owner: str = "ada") -> Any:
    return json.loads(b"".join(store.exports.pieces(owner)))


def without_origin(payload: Any) -> Any:
    return [one | {"origin": ""} for one in payload["conversations"]]


def test_pieces_are_the_whole_export(store: Store, exported: dict[str, Any]) -> None:
    assert written(store)["conversations"] == []
    bring_in(store, exported)
    whole = store.exports.conversations("ada")
    pieces = written(store)
    assert pieces["conversations"] == whole["conversations"]
    assert {"format", "version", "exported_at"} <= pieces.keys()
    assert without_origin(pieces) == without_origin(exported)


def test_a_shown_message_that_is_not_there_when_its_turn_comes_does_not_break_the_export(
    store: Store, store_url: str, exported: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_in(store, exported)
    database = Database(store_url, busy_timeout_s=5)
    conversation = exported["conversations"][0]
    asked = conversation["messages"][0]["id"]
    monkeypatch.setattr("core.storage.transfer.exports._ROWS_AT_ONCE", 1)
    pieces = []
    for piece in store.exports.pieces("ada"):
        pieces.append(piece)
        if asked.encode() in piece and b'"role": "user"' in piece:
            with database.write() as connection:
                connection.execute(delete(messages).where(messages.c.id == conversation["head_id"]))
    database.close()
    payload = json.loads(b"".join(pieces))
    assert bring_in(store, payload, "bob").added == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
def test_every_unicode_encoding_is_read(
    store: Store, exported: dict[str, Any], encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_events, "_READ_AT_ONCE", 7)
    data = json.dumps(exported, ensure_ascii=False).encode(encoding)
    assert bring_in(store, data) == ImportResult(2, 0, 5)
    assert without_origin(written(store)) == without_origin(exported)


def test_fields_may_stand_in_any_order(store: Store, exported: dict[str, Any]) -> None:
    turned = {key: exported[key] for key in reversed(exported)}
    turned["conversations"] = [
        {key: one[key] for key in reversed(one)} for one in exported["conversations"]
    ]
    assert bring_in(store, turned) == ImportResult(2, 0, 5)
    assert without_origin(written(store)) == without_origin(exported)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_conversation_in_parts_arrives_whole_and_once(
    store: Store, exported: dict[str, Any], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_file, "PART_MESSAGES", most)
    monkeypatch.setattr(transfer, "_CHUNK", most)
    twin = copy.deepcopy(exported["conversations"][0]) | {"id": "twin"}
    exported["conversations"].append(twin)
    for owner in ("ada", "bob"):
        assert bring_in(store, exported, owner) == ImportResult(3, 0, 10)
        assert bring_in(store, exported, owner) == ImportResult(0, 3, 0)
        for shown in store.conversations.list(owner).items:
            path = store.messages.path(owner, shown.id)
            expected = [] if shown.title == "empty" else ["edited", "answer 😀"]
            assert [message.content for message in path] == expected


def test_an_import_cut_anywhere_goes_on(
    store: Store, exported: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_file, "PART_MESSAGES", 1)
    monkeypatch.setattr(transfer, "_CHUNK", 1)
    make_row = transfer._row
    for survived in range(5):
        with monkeypatch.context() as patch:
            rows: list[int] = []

            def cut(*arguments: Any, rows: list[int] = rows) -> dict[str, object]:
                rows.append(1)
                if len(rows) > 1:
                    raise KeyboardInterrupt
                return make_row(*arguments)

            patch.setattr(transfer, "_row", cut)
            if survived < 4:
                with pytest.raises(KeyboardInterrupt):
                    bring_in(store, exported)
                assert store.conversations.count("ada") == 0
    result = bring_in(store, exported)
    assert (result.added, result.messages_added) == (2, 1)
    assert without_origin(written(store)) == without_origin(exported)


C, M = "conversations", "messages"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("version",), True, "version"),
        ((C,), {}, "conversations"),
        ((C, 0), [], "conversation 1"),
        ((C, 1, "id"), "../x", "not an id"),
        ((C, 0, "title"), None, "title"),
        ((C, 0, "head_id"), "elsewhere", "head_id"),
        ((C, 0, M), None, "messages"),
        ((C, 0, M), {"a": 1}, "messages"),
        ((C, 0, M, 1), "text", "message 2"),
        ((C, 0, M, 1, "role"), "robot", "message 2.*role"),
        ((C, 0, M, 0, "parent_id"), "later", "parent_id"),
        ((C, 0, M, 1, "usage", "prompt_tokens"), 1 << 80, "prompt_tokens"),
        ((C, 0, M, 1, "duration_s"), 1e300, "duration_s"),
        ((C, 0, M, 1, "duration_s"), float("nan"), "not JSON"),
    ],
)
def test_a_wrong_value_changes_nothing(
    store: Store, exported: dict[str, Any], path: tuple[str | int, ...], value: object, words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        bring_in(store, spoil(exported, path, value))
    assert caught.value.text_id == "error.import_malformed"
    assert store.conversations.count("ada") == 0


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[]", b"{", b"{}", b"[" * 100_000, b"\xff\xfe", b"\xff", b"9" * 9999,
     b"[] " + b"9" * 9999, b"[" + b"9" * 9999, b'{"x": 1e99999999999999999999}',
     b"  " + b"9" * 9999, b"[1," + b"9" * 9999, b'{"a": ' + b"9" * 9999, b"[9" + b"9" * 9999 + b"]",
     b'{"x": ' + b"[" * 100_000, b'{"x": "\xe9"}', b'{"format": "inkling-conversations"}',
     b'{"format": "inkling-conversations", "version": 1}'],
)  # fmt: skip
def test_what_is_no_export_at_all_is_refused(store: Store, data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        bring_in(store, data)
    assert caught.value.text_id in ("error.import_unknown", "error.import_malformed")


def test_an_export_that_was_cut_short_changes_nothing(
    store: Store, exported: dict[str, Any]
) -> None:
    data = json.dumps(exported).encode()
    for end in range(0, len(data), 97):
        with pytest.raises(InputError):
            bring_in(store, data[:end])
    assert store.conversations.count("ada") == 0


def test_missing_messages_twins_and_newer_versions_are_refused(
    store: Store, exported: dict[str, Any]
) -> None:
    with pytest.raises(InputError) as caught:
        bring_in(store, exported | {"version": VERSION + 1})
    assert caught.value.text_id == "error.import_newer"
    conversations = exported["conversations"]
    with pytest.raises(InputError, match=r"conversation 3.*there twice"):
        bring_in(store, exported | {"conversations": [*conversations, conversations[0]]})
    del conversations[1]["messages"]
    with pytest.raises(InputError, match=r"conversation 2.*messages.*missing"):
        bring_in(store, exported)


def test_progress_and_numbers_come_through(
    store: Store, exported: dict[str, Any], tmp_path: Path
) -> None:
    exported["conversations"][0]["messages"][1]["status"] = "running"
    exported["conversations"][0]["messages"][1]["error_facts"] = {"wait_s": 1.5, "n": 1 << 70}
    path = tmp_path / "export.json"
    path.write_text(json.dumps(exported))
    told: list[int] = []
    with path.open("rb") as file:
        store.imports.import_file("ada", file, tell=told.append)
    assert told[-1] == path.stat().st_size
    message = store.messages.get("ada", exported["conversations"][0]["messages"][1]["id"])
    assert message is not None
    assert message.status is AnswerStatus.INTERRUPTED
    assert message.error_facts == {"wait_s": 1.5, "n": 1 << 70}
    assert isinstance(message.duration_s, float)
