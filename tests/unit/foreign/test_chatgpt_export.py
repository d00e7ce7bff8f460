"""What we write in ChatGPT's shape: it comes back whole, and other chats' importers read it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from core.storage.store import Store
from core.storage.transfer.imports import ImportResult
from tests.conftest import Clock
from tests.unit.chat.test_store_transfer import exported  # noqa: F401
from tests.unit.foreign.samples import SAMPLES
from tests.unit.foreign.test_kinds import bring_in

Json = dict[str, Any]


def written(store: Store, owner: str = "ada") -> list[Json]:
    entries: list[Json] = json.loads(b"".join(store.exports.pieces(owner, "chatgpt")))
    return entries


def ours(store: Store, owner: str = "ada") -> list[Json]:
    conversations = store.exports.conversations(owner)["conversations"]
    return json.loads(json.dumps(conversations))  # type: ignore[no-any-return]


@pytest.fixture
def filled(store: Store, exported: Json) -> Store:  # noqa: F811
    """A store with branches and every field in use, and with what came from elsewhere."""
    bring_in(store, exported)
    bring_in(store, SAMPLES["deepseek"].file(SAMPLES["deepseek"].entries()))
    return store


def test_it_comes_back_whole_and_once(filled: Store, tmp_path: Path, clock: Clock) -> None:
    entries = written(filled)
    other = Store.open(tmp_path / "third.db", clock=clock)
    assert bring_in(other, entries) == ImportResult(4, 0, 12)
    assert ours(other) == ours(filled)
    assert written(other) == entries
    assert bring_in(other, entries) == ImportResult(0, 4, 0)
    assert bring_in(filled, entries) == ImportResult(0, 4, 0)
    other.close()


def test_another_persons_ids_are_not_taken(filled: Store) -> None:
    before = ours(filled)
    assert bring_in(filled, written(filled), "eve") == ImportResult(4, 0, 12)
    assert ours(filled) == before
    assert bring_in(filled, written(filled), "eve") == ImportResult(0, 4, 0)


def test_what_was_spoiled_costs_itself(filled: Store) -> None:
    entries = written(filled)
    entries[0]["inkling"]["created_at"] = 7
    node = next(node for node in entries[2]["mapping"].values() if node["message"])
    node["message"]["content"]["parts"] = None
    result = bring_in(filled, entries, "eve")
    assert (result.added, result.failed) == (2, 2)
    assert [problem.number for problem in result.problems] == [1, 3]


def test_words_changed_elsewhere_are_what_is_meant(store: Store) -> None:
    sample = SAMPLES["chatgpt"]
    bring_in(store, sample.file(sample.entries()))
    text = json.dumps(written(store)).replace("A wave.", "A calm.")
    bring_in(store, text.encode(), "eve")
    assert "A calm." in json.dumps(ours(store, "eve"))
    assert "A wave." not in json.dumps(ours(store, "eve"))


def as_open_webui_reads(entry: Json) -> list[str] | None:
    """Return the words of the messages, or None where its `validateChat` refuses (v0.6)."""
    said: list[tuple[str, list[str]]] = []
    for node in entry["mapping"].values():
        message = node["message"]
        if not said and (message is None or message["content"]["parts"][0] == ""):
            continue
        said.append((message["content"]["parts"][0], node["children"]))
    if not said or said[-1][1] or not all(isinstance(words, str) for words, _ in said):
        return None
    return [words for words, _ in said]


def as_librechat_reads(entry: Json) -> dict[str, tuple[str | None, str, bool]]:
    """Return parent, words and whether a person said it, by node (`importChatGptConvo`)."""
    said = {}
    for node_id, node in entry["mapping"].items():
        message = node["message"]
        if message is None or message["author"]["role"] == "system":
            continue
        assert message["content"]["content_type"] == "text"
        assert isinstance(message["metadata"], dict)
        parent = entry["mapping"][node["parent"]]
        said[node_id] = (
            parent["id"] if parent["message"] else None,
            " ".join(message["content"]["parts"]),
            message["author"]["role"] == "user",
        )
    assert isinstance(entry["create_time"], float)
    return said


def test_open_webui_and_librechat_read_it(filled: Store) -> None:
    for entry, conversation in zip(written(filled), ours(filled), strict=True):
        said = conversation["messages"]
        if not said:  # no chat at all to Open WebUI
            continue
        assert as_open_webui_reads(entry) == [one["content"] for one in said]
        assert as_librechat_reads(entry) == {
            one["id"]: (one["parent_id"], one["content"], one["role"] == "user") for one in said
        }
        assert entry["current_node"] == conversation["head_id"]


def test_it_is_a_file_of_chatgpts_to_whoever_passes_over_ours(filled: Store) -> None:
    entries = written(filled)
    for entry in entries:
        del entry["inkling"]
        for node in entry["mapping"].values():
            if node["message"]:
                del node["message"]["metadata"]["inkling"]
    data = json.dumps(entries).encode()
    result = filled.imports.import_file("eve", io.BytesIO(data))
    assert (result.added, result.failed, result.messages_added) == (3, 1, 12)
