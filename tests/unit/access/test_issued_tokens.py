"""Access tokens that the owner makes: found by their hash alone, and gone at once."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.access.issued_tokens import NOTED_EVERY_S, TOKEN_PREFIX, IssuedTokens
from core.errors import InputError
from core.models.money.ledger import Budget
from core.storage.store import Store

CHAT: Any = frozenset({"chat"})


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "tokens.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def tokens(store: Store) -> IssuedTokens:
    return IssuedTokens(store.key_values, lambda: {"env"}, clock=Clock())


def test_what_is_kept_is_not_the_token(store: Store, tokens: IssuedTokens, tmp_path: Path) -> None:
    token = tokens.issue("web ui", CHAT, per_minute=5, limit=("day", Decimal("1.50"), "CNY"))
    assert token.startswith(TOKEN_PREFIX)
    found = tokens.find(["x", token])
    assert found is not None
    assert (found.name, found.scopes, found.per_minute) == ("web ui", CHAT, 5)
    assert found.budget == Budget("token", "web ui", "day", Decimal("1.50"), "CNY")
    store.close()
    files = b"".join(path.read_bytes() for path in tmp_path.glob("tokens.sqlite3*"))
    assert found.digest.encode() in files
    assert token.encode() not in files


def test_what_is_none_or_was_taken_back_is_not_found(store: Store, tokens: IssuedTokens) -> None:
    token = tokens.issue("web", CHAT)
    another = IssuedTokens(store.key_values, set)  # in another process
    assert another.find([token]) is not None
    assert another.find([token + "x", "ink_", token.removeprefix(TOKEN_PREFIX), ""]) is None
    tokens.revoke(another.all()[0].digest)
    assert another.find([token]) is None
    assert another.all() == []


def test_its_use_is_noted_now_and_then_and_makes_nothing_alive_again(store: Store) -> None:
    clock = Clock()
    tokens = IssuedTokens(store.key_values, set, clock=clock)
    token = tokens.issue("web", CHAT)
    assert tokens.all()[0].used_at is None
    tokens.find([token])
    first = clock.now
    clock.now += NOTED_EVERY_S / 2
    tokens.find([token])
    assert tokens.all()[0].used_at == first
    clock.now += NOTED_EVERY_S
    tokens.find([token])
    assert tokens.all()[0].used_at == clock.now


@pytest.mark.parametrize(
    ("name", "scopes", "field"),
    [
        ("", CHAT, "name"),
        ("a:b", CHAT, "name"),
        ("env", CHAT, "name"),
        ("x", frozenset(), "scopes"),
    ],
)
def test_what_cannot_be_made_says_why(
    tokens: IssuedTokens, name: str, scopes: Any, field: str
) -> None:
    with pytest.raises(InputError) as caught:
        tokens.issue(name, scopes)
    assert caught.value.field == field
    assert tokens.all() == []


def test_a_name_is_given_once(tokens: IssuedTokens) -> None:
    tokens.issue("web", CHAT)
    with pytest.raises(InputError):
        tokens.issue(" web ", CHAT)


@pytest.mark.parametrize(
    "row",
    [
        3,
        [],
        {},
        {"name": "x"},
        {"scopes": ["all"], "budget": None, "name": "x", "digest": "", "made_at": 1},
        {"scopes": ["chat"], "budget": {"limit": "?"}, "name": "x", "digest": "", "made_at": 1},
        {"scopes": ["chat"], "budget": None, "name": 3, "digest": "", "made_at": 1},
    ],
)
def test_a_row_that_is_not_understood_lets_nobody_in(
    store: Store, tokens: IssuedTokens, row: Any
) -> None:
    token = tokens.issue("web", CHAT)
    store.key_values.set(f"access_token.{tokens.all()[0].digest}", row)
    assert tokens.find([token]) is None
    assert tokens.all() == []
