"""Other chats' exports: conversations in are conversations out, twice is once, bad are named."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import InputError
from core.models.chat import Conversation
from core.storage.store import Store
from core.storage.transfer.foreign.model import NAMED_MOST, ImportProblem
from core.storage.transfer.imports import ImportResult
from tests.unit.foreign.samples import HIDDEN, SAMPLES, Sample, librechat, node, words, zipped

every_kind = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)


def bring_in(store: Store, content: Any, owner: str = "ada") -> ImportResult:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return store.imports.import_file(owner, io.BytesIO(data))


def conversations(store: Store, owner: str = "ada") -> dict[str, Conversation]:
    return {one.title: one for one in store.conversations.list(owner, limit=500).items}


def shown(store: Store, title: str, owner: str = "ada") -> list[tuple[str, str, str]]:
    path = store.messages.path(owner, conversations(store, owner)[title].id)
    return [(one.role, one.content, one.reasoning_content) for one in path]


@every_kind
def test_conversations_in_are_conversations_out_and_twice_is_once(
    store: Store, sample: Sample
) -> None:
    file = sample.file(sample.entries())
    assert bring_in(store, file) == ImportResult(2, 0, sample.messages)
    assert shown(store, "Sea trip") == sample.path
    everything = json.dumps(store.exports.conversations("ada"))
    assert HIDDEN not in everything
    assert bring_in(store, file) == ImportResult(0, 2, 0)
    assert (
        json.loads(everything)["conversations"]
        == (json.loads(json.dumps(store.exports.conversations("ada")))["conversations"])
    )
    assert bring_in(store, file, "eve") == ImportResult(2, 0, sample.messages)


@every_kind
def test_branches_times_and_models_come_along(store: Store, sample: Sample) -> None:
    bring_in(store, sample.file(sample.entries()))
    conversation = conversations(store)["Sea trip"]
    path = store.messages.path("ada", conversation.id)
    answers = [one.content for one in store.messages.versions("ada", path[1].id)]
    assert sorted(answers) == (["The sea."] if sample.messages == 6 else ["Home.", "The sea."])
    assert path[1].model == sample.model
    assert conversation.created_at.year == path[0].created_at.year == sample.year
    assert path[0].created_at <= path[-1].created_at
    assert conversation.origin == "import"


@every_kind
def test_a_bad_entry_costs_itself_and_is_named(store: Store, sample: Sample) -> None:
    good = sample.entries()
    circle = {"a": node("a", "b", [], role="user", content=words("x")),
              "b": node("b", "a", [], role="user", content=words("y"))}  # fmt: skip
    bad = [
        None,
        7,
        {"title": "Odd", "topic": "Odd", "name": "Odd"},
        {"title": "Round", "mapping": circle, "topic": "Round", "id": "r"},
        {**good[0], "mapping": {}, "messages": [], "chat": {"history": {"messages": {}}}},
    ]
    for entry in bad:
        result = bring_in(
            store, sample.file([good[0], entry, good[1]]), owner=f"o{bad.index(entry)}"
        )
        assert (result.added, result.failed) == (2, 1), entry
        assert [problem.number for problem in result.problems] == [2]
        if isinstance(entry, dict) and entry.get("title") == "Odd":
            assert result.problems[0].title == "Odd"


def test_a_list_of_fifty_with_one_bad_brings_the_others(store: Store) -> None:
    entries = [
        dict(SAMPLES["chatgpt"].entries()[1], id=f"c{at}", title=f"T{at}") for at in range(50)
    ]
    entries[30]["mapping"] = {"x": "y"}
    result = bring_in(store, entries)
    assert result == ImportResult(49, 0, 98, 1, (ImportProblem(31, "T30", "without messages"),))
    many = [*entries[:1], *[{"mapping": {}}] * 100]
    result = bring_in(store, many)
    assert (result.skipped, result.failed, len(result.problems)) == (1, 100, NAMED_MOST)


def test_a_file_of_bad_entries_alone_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="2 conversations") as caught:
        bring_in(store, [{"mapping": {}}, {"mapping": {"a": 1}}])
    assert caught.value.text_id == "error.import_all_bad"
    assert "没有消息" in caught.value.sentence("zh")


@pytest.mark.parametrize(
    "content",
    [[], {}, [1, 2], {"a": {"b": []}}, [{"title": "x"}], "text", b"\x89PNG", b"hello", b"",
     {"conversations": []}, zipped({"a.txt": b"text"}), zipped({"a.json": [1]}), zipped({})],
    # Not by their bytes: a zip holds the time at which it was made.
    ids=["list", "object", "numbers", "nested", "untitled", "text", "png", "words", "nothing",
         "no conversations", "zip of text", "zip of numbers", "empty zip"],
)  # fmt: skip
def test_an_unknown_file_is_told_what_is_known(store: Store, content: Any) -> None:
    with pytest.raises(InputError) as caught:
        bring_in(store, content)
    assert caught.value.text_id == "error.import_unknown"
    for language in ("zh", "en"):
        for name in ("ChatGPT", "DeepSeek", "Open WebUI", "LibreChat", "NextChat", "Cherry Studio"):
            assert name in caught.value.sentence(language)
    assert store.conversations.count("ada") == 0


@every_kind
def test_a_file_cut_short_changes_nothing(store: Store, sample: Sample) -> None:
    file = sample.file(sample.entries())
    data = file if isinstance(file, bytes) else json.dumps(file).encode()
    for end in range(0, len(data), max(1, len(data) // 40)):
        with pytest.raises(InputError):
            bring_in(store, data[:end])
    assert store.conversations.count("ada") == 0


def test_one_conversation_alone_is_a_file_too(store: Store) -> None:
    for kind in ("chatgpt", "deepseek", "open-webui", "librechat"):
        result = bring_in(store, SAMPLES[kind].entries()[0], owner=kind)
        assert (result.added, result.messages_added) == (1, 5)


def test_a_later_export_adds_what_is_new(store: Store) -> None:
    entries = SAMPLES["chatgpt"].entries()
    bring_in(store, entries)
    entries[1]["mapping"]["m2"]["children"] = ["m3"]
    entries[1]["mapping"]["m3"] = node("m3", "m2", [], role="user", content=words("More"))
    assert bring_in(store, entries) == ImportResult(0, 2, 1)


def test_thoughts_that_two_answers_share_belong_to_both(store: Store) -> None:
    thoughts = {"content_type": "thoughts", "thoughts": [{"content": "Hm."}]}
    nodes = [
        node("q", None, ["t"], role="user", content=words("Why?")),
        node("t", "q", ["a", "b"], role="assistant", content=thoughts),
        node("a", "t", [], role="assistant", content=words("A")),
        node("b", "t", [], role="assistant", content=words("B")),
    ]
    bring_in(store, [{"id": "x", "title": "T", "mapping": {n["id"]: n for n in nodes}}])
    answer = store.messages.path("ada", conversations(store)["T"].id)[1]
    versions = store.messages.versions("ada", answer.id)
    assert [(one.content, one.reasoning_content) for one in versions] == [
        ("A", "Hm."),
        ("B", "Hm."),
    ]


def test_a_nested_conversation_of_thousands_comes_in(store: Store) -> None:
    # As text: Python's own writer of JSON nests no deeper than its stack.
    opened = (
        f'{{"messageId": "m{n}", "text": "t{n}", "isCreatedByUser": true, "children": ['
        for n in range(3000)
    )
    data = "".join(opened) + "]}" * 3000
    file = f'{{"conversationId": "deep", "title": "Deep", "recursive": true, "messages": [{data}]}}'
    assert bring_in(store, file.encode()).messages_added == 3000
    assert len(store.messages.path("ada", conversations(store)["Deep"].id)) == 3000


def test_local_times_of_any_zone_and_order_are_told_by_the_last_update(store: Store) -> None:
    last = datetime(2025, 4, 5, 4, 5, 5, tzinfo=UTC)
    for at, date in enumerate(
        ("2025/4/5 12:05:05", "4/5/2025, 12:05:05 PM", "05/04/2025, 12:05:05", "5.4.2025, 12:05:05",
         "2025/4/5 下午12:05:05", "4/5/2025, 12:05:05\u202fPM")
    ):  # fmt: skip
        session = {
            "id": "s", "topic": "T", "lastUpdate": last.timestamp() * 1000 + 40, "mask": {},
            "messages": [{"id": "1", "role": "user", "content": "Hi", "date": date}],
        }  # fmt: skip
        bring_in(store, {"chat-next-web-store": {"sessions": [session]}}, owner=f"o{at}")
        conversation = conversations(store, f"o{at}")["T"]
        message = store.messages.path(f"o{at}", conversation.id)[0]
        assert message.created_at == last, date


def test_librechat_is_read_without_parents_told(store: Store) -> None:
    entry = librechat()[1]
    for message in entry["messages"]:
        del message["parentMessageId"]
    bring_in(store, entry)
    assert [one[1] for one in shown(store, "Two")] == ["Hi", "Hello"]
