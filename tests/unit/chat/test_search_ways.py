"""Each way a search can take finds the same: all that hold the words, the newest first."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from core.storage.chat import search
from core.storage.db.folding import fold
from core.storage.store import Store
from tests.conftest import Clock
from tests.unit.chat.test_store_search import check_index, index_all, say
from tests.unit.storage.old_stores import lay_down

SIGNS = "山水画a b%_Cé𠀋👩\U0010fffd\ud7ff\"'"
WAYS = {
    "sought out": (10_000, 0),
    "looked through": (1, 10_000),
    "looked through, then sought out": (1, 3),
    "only sought out": (1, 0),
}


def every_hit(store: Store, query: str, *, with_reasoning: bool) -> list[tuple[str, float]]:
    """Return all that is found, page by page, in its order."""
    found, cursor = [], None
    while True:
        page = store.search.find(
            "ada", query, limit=3, cursor=cursor, with_reasoning=with_reasoning
        )
        found += [(hit.message_id or "", hit.at.timestamp()) for hit in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


def texts_in(store: Store) -> dict[str, tuple[str, str, float]]:
    """Return all that was said to ada, by message."""
    conversations = store.conversations.list("ada", limit=100).items
    return {
        message.id: (message.content, message.reasoning_content, message.created_at.timestamp())
        for conversation in conversations
        for message in store.messages.path("ada", conversation.id)
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("indexed", [0, 1, 100], ids=["waiting", "begun", "indexed"])
def test_every_way_finds_what_is_there(
    open_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch, way: str, indexed: int
) -> None:
    sought, looked = WAYS[way]
    monkeypatch.setattr(search, "_SOUGHT_OUT", sought)
    monkeypatch.setattr(search, "_LOOKED_THROUGH", looked)
    monkeypatch.setattr("core.storage.chat.search_index._AT_ONCE_CHARACTERS", 60)
    chance = random.Random(f"{way} {indexed}")
    store = open_store()

    def some(most: int) -> str:
        return "".join(chance.choices(SIGNS, k=chance.randint(1, most)))

    for number in range(12):
        say(store, some(8), some(12), thought=some(6), owner="ada" if number % 4 else "bob")
    for _ in range(indexed):
        store.search_index.catch_up()
    said = texts_in(store)
    for _ in range(60):
        query, with_reasoning = some(3), chance.random() < 0.5
        words = fold(query).split()
        right = [
            (name, at)
            for name, (content, thought, at) in said.items()
            if words
            and all(
                word in fold(content) or (with_reasoning and word in fold(thought))
                for word in words
            )
        ]
        right.sort(key=lambda one: (one[1], one[0]), reverse=True)
        assert every_hit(store, query, with_reasoning=with_reasoning) == right, query


@pytest.mark.parametrize("query", ["末", "句末", "z", "yz", "xyz", "xyz 句末"])
def test_a_short_word_is_found_at_the_very_end(store: Store, query: str) -> None:
    say(store, "xyz 句末", "句 末 x yz" if " " in query else "。")
    index_all(store)
    assert len(store.search.find("ada", query).items) >= 1


def test_what_is_gone_is_in_no_index(sqlite_url: str, clock: Clock) -> None:
    store = Store.open(sqlite_url, clock=clock)
    gone = say(store, "甲乙", "丙丁", thought="戊己")
    say(store, "甲壬", "!")
    index_all(store)
    store.conversations.delete("ada", gone)
    store.conversations.purge(clock.advance(1))
    check_index(store)
    with store._database.read() as connection:
        terms = connection.exec_driver_sql("SELECT DISTINCT term FROM message_index_terms").all()
    assert {term.strip() for (term,) in terms} == {"甲壬", "壬", "!"}
    store.close()


def test_a_store_searched_the_old_way_is_searched_the_new(tmp_path: Path, clock: Clock) -> None:
    store = Store.open(lay_down("v6", tmp_path / "inkling.db"), clock=clock)
    found = len(store.search.find("local", "诗").items)
    assert found > 0
    index_all(store)
    assert len(store.search.find("local", "诗").items) == found
    check_index(store)
    store.close()
