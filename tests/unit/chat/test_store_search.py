"""Search in Chinese and English, the same on both databases."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from core.models.chat import AnswerStatus, ChatParameters
from core.storage.chat.running_answers import AnswerDraft
from core.storage.chat.search import SearchHit
from core.storage.db.pagination import Page
from core.storage.store import Store
from tests.conftest import Clock
from tests.kept_answers import end_answer
from tests.unit.storage.old_stores import lay_down


@pytest.fixture(params=["indexed", "waiting"])
def store(
    request: pytest.FixtureRequest,
    open_store: Callable[..., Store],
    monkeypatch: pytest.MonkeyPatch,
) -> Store:
    """A store that looks for words in its index, or in what still waits for it."""
    store = open_store()
    find = store.search.find

    def find_indexed(*args: Any, **options: Any) -> Page[SearchHit]:
        index_all(store)
        return find(*args, **options)

    if request.param == "indexed":
        monkeypatch.setattr(store.search, "find", find_indexed)
    return store


def index_all(store: Store) -> None:
    while store.search_index.waiting():
        store.search_index.catch_up()


def check_index(store: Store) -> None:
    """Compare index and table, and fail on any difference (sqlite.org/fts5.html §6.4)."""
    with store._database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO message_index (message_index, rank) VALUES ('integrity-check', 1)"
        )


def say(
    store: Store,
    question: str,
    answer: str,
    *,
    title: str = "",
    thought: str = "",
    owner: str = "ada",
) -> str:
    conversation = store.conversations.create(owner, title=title)
    _question, running = begin(store, conversation.id, question, owner)
    end_answer(store, owner, running, answer, reasoning_content=thought)
    return conversation.id


def begin(store: Store, conversation_id: str, question: str, owner: str = "ada") -> tuple[str, str]:
    asked, answer = store.messages.begin_answer(
        owner,
        conversation_id,
        question=question,
        parent_id=None,
        parameters=ChatParameters(),
        model="m",
        practice=True,
        process_id="p",
        lease_s=30,
    )
    assert asked is not None
    return asked.id, answer.id


def marked(hit: SearchHit) -> list[str]:
    return [hit.snippet[start:end] for start, end in hit.matches]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("山", ["一座山水画"]),
        ("山水", ["一座山水画"]),
        ("山水画", ["一座山水画"]),
        ("WATERFALL", ["A waterfall, 100% blue_green."]),
        ("wat", ["A waterfall, 100% blue_green."]),
        ("wa", ["A waterfall, 100% blue_green."]),
        ("100%", ["A waterfall, 100% blue_green."]),
        ("0%", ["A waterfall, 100% blue_green."]),
        ("%", ["A waterfall, 100% blue_green."]),
        ("blue green", ["A waterfall, 100% blue_green."]),
        ("blue_green", ["A waterfall, 100% blue_green."]),
        ("bluexgreen", []),
        ('say "hi"', ['She said: say "hi" OR NOT']),
        ('"hi" OR', ['She said: say "hi" OR NOT']),
        ("ÉLÈ", ["café, élève"]),
        ("eleve cafe", ["café, élève"]),
        ("Élève", ["café, élève"]),
        ("waterfall 山", []),
        ("back\\slash/", ["back\\slash/ here"]),
        ("", []),
        ("   ", []),
    ],
)
def test_every_word_must_occur_in_one_message(store: Store, query: str, found: list[str]) -> None:
    for text in (
        "一座山水画",
        "A waterfall, 100% blue_green.",
        'She said: say "hi" OR NOT',
        "café, élève",
        "back\\slash/ here",
    ):
        say(store, "?", text)
    assert [hit.snippet for hit in store.search.find("ada", query).items] == found


def test_titles_questions_and_answers_are_found_newest_first(store: Store) -> None:
    first = say(store, "ink stone", "?", title="nothing")
    second = say(store, "?", "about ink", title="Ink and paper")
    hits = store.search.find("ada", "ink").items
    assert [(hit.conversation.id, hit.role) for hit in hits] == [
        (second, None),
        (second, "assistant"),
        (first, "user"),
    ]
    assert hits[0].message_id is None
    assert [marked(hit) for hit in hits] == [["Ink"], ["ink"], ["ink"]]


def test_a_hit_leads_to_the_place_found_even_in_a_branch_not_shown(store: Store) -> None:
    conversation_id = say(store, "old needle", "!")
    asked, running = begin(store, conversation_id, "new question")
    end_answer(store, "ada", running, "x")
    (hit,) = store.search.find("ada", "needle").items
    assert hit.message_id is not None
    store.messages.choose_version("ada", conversation_id, hit.message_id)
    path = store.messages.path("ada", conversation_id)
    assert hit.message_id in [message.id for message in path]
    assert asked not in [message.id for message in path]


def test_pages_of_hits_miss_none_and_repeat_none(store: Store) -> None:
    for number in range(5):
        say(store, f"needle {number}", f"needle {number}!", title=f"needle {number}")
    everything = store.search.find("ada", "needle", limit=100).items
    assert len(everything) == 15
    paged: list[SearchHit] = []
    cursor = None
    while True:
        page = store.search.find("ada", "needle", limit=4, cursor=cursor)
        paged += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert paged == list(everything)
    assert [hit.at for hit in paged] == sorted((hit.at for hit in paged), reverse=True)


def test_a_growing_answer_is_found_once_it_has_ended(store: Store) -> None:
    conversation = store.conversations.create("ada")
    _asked, running = begin(store, conversation.id, "?")
    store.running_answers.save_running([AnswerDraft(running, "a needle grows")], lease_s=30)
    for query in ("needle", "ne"):
        assert store.search.find("ada", query).items == ()
    end_answer(store, "ada", running, "a needle", status=AnswerStatus.STOPPED)
    for query in ("needle", "ne"):
        assert [hit.snippet for hit in store.search.find("ada", query).items] == ["a needle"]


def test_thoughts_are_searched_only_when_asked(store: Store) -> None:
    say(store, "?", "the answer", thought="a hidden 想法 here")
    for query in ("hidden", "想法", "hidden 想"):
        assert store.search.find("ada", query).items == ()
        (hit,) = store.search.find("ada", query, with_reasoning=True).items
        assert hit.snippet == "a hidden 想法 here"
    assert len(store.search.find("ada", "answer hidden", with_reasoning=True).items) == 1


def test_a_snippet_shows_the_surroundings_on_one_line(store: Store) -> None:
    say(store, "?", "前" * 300 + "\n关键词\t在这里" + "后" * 300)
    (hit,) = store.search.find("ada", "关键词").items
    assert hit.snippet.startswith("…前")
    assert hit.snippet.endswith("后…")
    assert "\n" not in hit.snippet
    assert len(hit.snippet) < 200
    assert marked(hit) == ["关键词"]


def test_what_is_purged_is_gone_from_the_index(store: Store, clock: Clock) -> None:
    doomed = say(store, "needle one", "!")
    say(store, "needle two", "!")
    store.conversations.delete("ada", doomed)
    store.conversations.purge(clock.advance(1))
    assert [hit.snippet for hit in store.search.find("ada", "needle").items] == ["needle two"]


@pytest.mark.parametrize("late", [False, True])
def test_the_index_holds_what_the_messages_say_and_no_more(
    sqlite_url: str, clock: Clock, late: bool
) -> None:
    store = Store.open(sqlite_url, clock=clock)
    say(store, "needle", "!")
    doomed = say(store, "one", "two")
    if not late:
        index_all(store)
        check_index(store)
    store.conversations.delete("ada", doomed)
    store.conversations.purge(clock.advance(1))
    index_all(store)
    check_index(store)
    assert [hit.snippet for hit in store.search.find("ada", "needle").items] == ["needle"]
    assert store.search.find("ada", "one").items == ()
    store.close()


def test_the_index_takes_few_texts_at_once_and_the_oldest_first(
    sqlite_url: str, clock: Clock
) -> None:
    store = Store.open(sqlite_url, clock=clock)
    for number in range(3):
        say(store, f"question {number}", f"{number}" * 70_000)
    waiting = [store.search_index.waiting()]
    while waiting[-1]:
        store.search_index.catch_up()
        waiting.append(store.search_index.waiting())
    assert waiting == [6, 3, 1, 0]
    check_index(store)
    store.search_index.catch_up()  # nothing to do
    store.close()


def test_indexing_and_searching_do_not_walk_through_all_messages(
    sqlite_url: str, clock: Clock
) -> None:
    store = Store.open(sqlite_url, clock=clock)
    plans = []

    def explain(_: object, cursor: Any, statement: str, parameters: Any, *__: object) -> None:
        if "unindexed_messages" in statement:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append([row[3] for row in cursor.fetchall()])

    say(store, "a needle", "!")
    event.listen(store._database.engine, "before_cursor_execute", explain)
    assert len(store.search.find("ada", "needle").items) == 1
    index_all(store)
    assert len(plans) == 5  # looked through; counted, chosen, taken off the list; counted
    assert not [step for plan in plans for step in plan if step.startswith("SCAN messages")]
    store.close()


def test_what_was_indexed_before_is_still_found(tmp_path: Path, clock: Clock) -> None:
    store = Store.open(lay_down("v1", tmp_path / "inkling.db"), clock=clock)
    assert store.search_index.waiting() > 0  # to be folded, behind the start
    # What still runs is in no index, and the check below would miss it.
    assert store.running_answers.interrupt_others("me") == 1
    say(store, "a new «стихи»", "new", owner="local")
    for _ in range(2):
        new, old = store.search.find("local", "стихи").items
        assert new.snippet == "a new «стихи»"
        assert old.snippet.startswith("写一首诗")
        index_all(store)
    store.conversations.delete("local", old.conversation.id)
    store.conversations.purge(clock.advance(1))
    check_index(store)
    store.close()


def test_a_query_of_any_length_is_answered(store: Store) -> None:
    say(store, "x" * 5000, "!")
    assert len(store.search.find("ada", "x" * 100_000).items) == 1
