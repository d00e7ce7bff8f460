"""Export and import: nothing lost, nothing doubled, nothing half done."""

import copy
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.models.chat import AnswerStatus, ChatParameters, Usage
from core.storage.store import Store
from core.storage.transfer import imports as transfer
from core.storage.transfer.format import VERSION
from core.storage.transfer.imports import ImportResult
from tests.conftest import Clock
from tests.kept_answers import end_answer


def bring_in(store: Store, payload: object, owner: str = "ada") -> ImportResult:
    text = payload if isinstance(payload, bytes | str) else json.dumps(payload)
    data = text.encode() if isinstance(text, str) else text
    return store.imports.import_file(owner, io.BytesIO(data))


@pytest.fixture
def exported(tmp_path: Path, clock: Clock) -> dict[str, Any]:
    """Two conversations of another store, one with branches and every field in use."""
    store = Store.open(tmp_path / "other.db", clock=clock)
    conversation = store.conversations.create(
        "eve", title="水墨", system_prompt="s", parameters=ChatParameters(temperature=0.5)
    )
    store.conversations.rename("eve", conversation.id, "水墨", manual=True)
    store.conversations.configure("eve", conversation.id, pinned=True)
    parent_id = None
    for question in ("first", None, "edited"):
        asked, answer = store.messages.begin_answer(
            "eve",
            conversation.id,
            question=question,
            parent_id=parent_id,
            parameters=ChatParameters(thinking=True),
            model="m",
            practice=True,
            process_id="p",
            lease_s=30,
        )
        end_answer(
            store,
            "eve",
            answer.id,
            "answer 😀",
            reasoning_content="thought",
            status=AnswerStatus.FAILED,
            finish_reason="length",
            usage=Usage(1, 2, 3),
            error_text_id="error.provider",
            error_facts={"code": 1},
            error_detail="d",
            reasoning_s=0.1,
            first_token_s=0.2,
            duration_s=0.3,
        )
        parent_id = asked.id if asked and question == "first" else None
    store.conversations.create("eve", title="empty")
    payload = store.exports.conversations("eve")
    store.close()
    return json.loads(json.dumps(payload))  # type: ignore[no-any-return]


def test_what_was_exported_comes_back_whole(store: Store, exported: dict[str, Any]) -> None:
    result = bring_in(store, json.dumps(exported))
    assert result == ImportResult(added=2, skipped=0, messages_added=5)
    again = store.exports.conversations("ada")
    expected = copy.deepcopy(exported)
    for conversation in expected["conversations"]:
        conversation["origin"] = "import"
    assert again["conversations"] == expected["conversations"]
    first = store.conversations.list("ada").items[0]
    assert (first.title, first.pinned, first.title_is_manual) == ("水墨", True, True)
    path = store.messages.path("ada", first.id)
    assert [message.content for message in path] == ["edited", "answer 😀"]
    assert (path[0].version, path[0].version_count) == (2, 2)
    assert len(store.search.find("ada", "answer").items) == 3


def test_importing_twice_doubles_nothing(store: Store, exported: dict[str, Any]) -> None:
    bring_in(store, json.dumps(exported).encode())
    before = store.exports.conversations("ada")["conversations"]
    result = bring_in(store, exported)
    assert result == ImportResult(added=0, skipped=2, messages_added=0)
    assert store.exports.conversations("ada")["conversations"] == before


def test_two_owners_can_import_the_same_file(store: Store, exported: dict[str, Any]) -> None:
    for owner in ("ada", "bob", "bob", "ada"):
        bring_in(store, exported, owner)
    for owner in ("ada", "bob"):
        shown = store.conversations.list(owner).items
        assert [conversation.title for conversation in shown] == ["水墨", "empty"]
        assert len(store.messages.path(owner, shown[0].id)) == 2
        assert len(store.search.find(owner, "answer").items) == 3


def test_a_later_export_adds_the_messages_that_are_missing(
    store: Store, exported: dict[str, Any]
) -> None:
    earlier = copy.deepcopy(exported)
    conversation = earlier["conversations"][0]
    conversation["messages"] = conversation["messages"][:2]
    conversation["head_id"] = conversation["messages"][1]["id"]
    bring_in(store, earlier)
    result = bring_in(store, exported)
    assert result == ImportResult(added=0, skipped=2, messages_added=3)
    assert [
        message["id"]
        for message in store.exports.conversations("ada")["conversations"][0]["messages"]  # type: ignore[index]
    ] == [message["id"] for message in exported["conversations"][0]["messages"]]


def test_importing_brings_a_deleted_conversation_back(
    store: Store, exported: dict[str, Any]
) -> None:
    bring_in(store, exported)
    gone = store.conversations.list("ada").items[0]
    store.conversations.delete("ada", gone.id)
    result = bring_in(store, exported)
    assert result == ImportResult(added=1, skipped=1, messages_added=0)
    assert store.conversations.get("ada", gone.id) == gone


def test_an_answer_that_was_running_arrives_as_interrupted(
    open_store: Callable[..., Store], exported: dict[str, Any]
) -> None:
    exported["conversations"][0]["messages"][1]["status"] = "running"
    store = open_store()
    bring_in(store, exported)
    message = store.messages.get("ada", exported["conversations"][0]["messages"][1]["id"])
    assert message is not None
    assert message.status is AnswerStatus.INTERRUPTED


def test_one_message_id_in_two_conversations_is_kept_apart(
    store: Store, exported: dict[str, Any]
) -> None:
    twin = copy.deepcopy(exported["conversations"][0])
    twin["id"] = "twin"
    exported["conversations"].append(twin)
    for expected in (10, 0):
        result = bring_in(store, exported)
        assert result.messages_added == expected
    assert len(store.messages.path("ada", "twin")) == 2


def spoil(payload: dict[str, Any], path: tuple[str | int, ...], value: object) -> object:
    target: Any = payload
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return payload


C, M = "conversations", "messages"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("version",), "1", "version"),
        (("version",), True, "version"),
        ((C,), {}, "conversations"),
        ((C, 0), [], "conversation 1"),
        ((C, 1, "id"), 5, "conversation 2.*id"),
        ((C, 1, "id"), "../x", "not an id"),
        ((C, 0, "title"), None, "title"),
        ((C, 0, "created_at"), "yesterday", "not a moment"),
        ((C, 0, "created_at"), "0001-01-01T00:00:00+14:00", "not a moment"),
        ((C, 0, "pinned"), 1, "pinned"),
        ((C, 0, "parameters"), "x", "parameters"),
        ((C, 0, "parameters", "temperature"), "hot", "temperature"),
        ((C, 0, "parameters", "max_tokens"), -1, "max_tokens"),
        ((C, 0, "head_id"), "elsewhere", "head_id"),
        ((C, 0, M), None, "messages"),
        ((C, 0, M, 1, "role"), "robot", "message 2.*role"),
        ((C, 0, M, 1, "status"), "asleep", "status"),
        ((C, 0, M, 0, "parent_id"), "later", "parent_id"),
        ((C, 0, M, 1, "content"), None, "content"),
        ((C, 0, M, 1, "usage", "prompt_tokens"), 1 << 80, "prompt_tokens"),
        ((C, 0, M, 1, "duration_s"), float("nan"), "not JSON"),
        ((C, 0, M, 1, "error_facts"), [], "error_facts"),
    ],
)
def test_a_malformed_file_is_refused_with_the_place_and_nothing_is_imported(
    store: Store,
    exported: dict[str, Any],
    path: tuple[str | int, ...],
    value: object,
    words: str,
) -> None:
    spoiled = json.dumps(spoil(exported, path, value))
    with pytest.raises(InputError, match=words) as caught:
        bring_in(store, spoiled)
    assert caught.value.text_id == "error.import_malformed"
    assert set(caught.value.facts) == {"where", "problem"}
    assert store.conversations.count("ada") == 0


@pytest.mark.parametrize("payload", ["", "null", "[]", "{", "[" * 100_000, b"\xff\xfe", "9" * 9999])
def test_what_is_no_export_at_all_is_refused(store: Store, payload: bytes | str) -> None:
    with pytest.raises(InputError) as caught:
        bring_in(store, payload)
    assert caught.value.text_id in ("error.import_unknown", "error.import_malformed")


def test_twins_in_one_file_are_refused(store: Store, exported: dict[str, Any]) -> None:
    conversations = exported["conversations"]
    conversations.append(conversations[0])
    with pytest.raises(InputError, match=r"conversation 3.*there twice"):
        bring_in(store, exported)
    conversations.pop()
    conversations[0]["messages"].append(conversations[0]["messages"][0])
    with pytest.raises(InputError, match=r"message 6.*there twice"):
        bring_in(store, exported)


def test_a_file_of_a_newer_version_is_refused_in_words(
    store: Store, exported: dict[str, Any]
) -> None:
    with pytest.raises(InputError) as caught:
        bring_in(store, exported | {"version": VERSION + 1})
    assert caught.value.text_id == "error.import_newer"


def test_an_import_that_fails_at_its_end_leaves_nothing(
    store: Store, exported: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = []
    make_row = transfer._row

    def stop_at_the_last(*arguments: Any) -> dict[str, object]:
        rows.append(1)
        if len(rows) == 5:
            raise KeyboardInterrupt
        return make_row(*arguments)

    monkeypatch.setattr(transfer, "_row", stop_at_the_last)
    with pytest.raises(KeyboardInterrupt):
        bring_in(store, exported)
    assert store.conversations.count("ada") == 0


def test_an_import_cut_off_between_its_transactions_is_made_good_by_the_next(
    store: Store, exported: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_CHUNK", 1)
    with monkeypatch.context() as patch:
        add = transfer._Arrival.add

        def cut_off(self: Any, item: Any, conversation_id: str, hidden_at: Any) -> None:
            if item.conversation.title == "empty":
                raise KeyboardInterrupt
            add(self, item, conversation_id, hidden_at)

        patch.setattr(transfer._Arrival, "add", cut_off)
        with pytest.raises(KeyboardInterrupt):
            bring_in(store, exported)
    assert store.conversations.list("ada").items == ()
    assert store.search.find("ada", "answer").items == ()
    result = bring_in(store, exported)
    assert (result.added, result.skipped) == (2, 0)
    assert len(store.search.find("ada", "answer").items) == 3


def test_some_conversations_can_be_exported(store: Store, exported: dict[str, Any]) -> None:
    bring_in(store, exported)
    wanted = [conversation["id"] for conversation in exported["conversations"]][::-1]
    payload: Any = store.exports.conversations("ada", wanted)
    assert [conversation["id"] for conversation in payload["conversations"]] == wanted
    one: Any = store.exports.conversation("ada", wanted[0])
    assert [conversation["title"] for conversation in one["conversations"]] == ["empty"]


def test_parameters_this_version_does_not_know_are_left_out(
    store: Store, exported: dict[str, Any]
) -> None:
    exported["conversations"][1]["parameters"]["telepathy"] = True
    bring_in(store, exported)
    found = store.conversations.get("ada", exported["conversations"][1]["id"])
    assert found is not None
    assert replace(found.parameters) == ChatParameters()


def test_words_that_a_file_adds_are_told_from_ones_own(store: Store) -> None:
    made = store.conversations.create("ada", title="own")
    store.messages.add("ada", made.id, role="user", content="mine", parent_id=None)
    payload = json.loads(json.dumps(store.exports.conversation("ada", made.id)))

    def origins() -> list[str]:
        return [one.origin for one in store.conversations.list("ada").items]

    assert bring_in(store, payload).messages_added == 0
    assert origins() == ["page"]
    (mine,) = payload[C][0][M]
    payload[C][0][M].append(mine | {"id": "other", "content": "theirs"})
    assert bring_in(store, payload).messages_added == 1
    assert origins() == ["import"]
    store.branches.fork("ada", made.id, "other", "again")  # so it stays, whatever goes on from it
    assert origins() == ["import", "import"]


def test_search_and_tools_come_in_switched_off(store: Store, exported: dict[str, Any]) -> None:
    on = {"search": True, "tools": True}
    for conversation in exported[C]:
        conversation["parameters"] |= on
        for message in conversation[M]:
            if message["parameters"] is not None:
                message["parameters"] |= on
    bring_in(store, exported)
    for found in store.conversations.list("ada").items:
        asked = [one.parameters for one in store.messages.path("ada", found.id)]
        for given in (found.parameters, *filter(None, asked)):
            assert (given.search, given.tools) == (False, False)
