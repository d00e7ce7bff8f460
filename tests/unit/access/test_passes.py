"""Passes and one-time links: who is let in, for how long, and who no longer."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access.connection import ConnectionFacts
from core.access.invitations import LIFETIME_S, Invitations
from core.access.page_origin import is_own_page
from core.access.passes import COOKIE, NOTED_EVERY_S, UNUSED_S, Passes
from core.errors import StoreError
from core.settings import Secret
from core.storage.store import Store

TOKEN = Secret("a-token-of-this-test-0123")


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "passes.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens() -> dict[str, Secret]:
    return {"ann": TOKEN}


@pytest.fixture
def passes(store: Store, clock: Clock, tokens: dict[str, Secret]) -> Passes:
    return Passes(store.key_values, lambda: tokens, clock=clock)


def cookie(value: str) -> str:
    return f"other=1; {COOKIE}={value}; last=2"


def test_a_cookie_tells_whose_pass_it_is(passes: Passes) -> None:
    value = passes.issue("the phone")
    assert passes.name_of_cookie(cookie(value)) == "the phone"
    assert passes.name_of_cookie(f"{COOKIE}=x.y; {COOKIE}={value}") == "the phone"


def test_what_is_kept_lets_nobody_in(passes: Passes, store: Store) -> None:
    value = passes.issue("ann", token="ann")
    kept = str(store.key_values.starting_with(""))
    pass_id, _, secret = value.partition(".")
    assert pass_id in kept
    assert secret not in kept
    assert TOKEN.reveal() not in kept
    assert secret not in repr(passes.valid())
    row = store.key_values.get(f"pass.{pass_id}")
    for guess in (row["digest"], row["fingerprint"]):
        assert passes.name_of_cookie(cookie(f"{pass_id}.{guess}")) is None


def test_any_other_cookie_is_nobodys(passes: Passes) -> None:
    value = passes.issue("phone")
    pass_id, _, secret = value.partition(".")
    spoiled = [
        *("", ".", pass_id, f"{pass_id}.", f".{secret}", secret, f"{pass_id}{secret}"),
        *(value[:-1], value + "0", value.upper(), f"{pass_id}.{secret[::-1]}"),
    ]
    for one in spoiled:
        assert passes.name_of_cookie(cookie(one)) is None, one
    for header in (None, "", ";;", f"x{COOKIE}={value}", f"{COOKIE.upper()}={value}", value):
        assert passes.name_of_cookie(header) is None, header


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    header=st.text()
    | st.lists(st.sampled_from([COOKIE, "=", ";", ".", " ", '"', "é"])).map("".join)
)
def test_no_header_makes_it_raise_or_lets_anybody_in(passes: Passes, header: str) -> None:
    assert passes.name_of_cookie(header) is None


def test_a_pass_taken_back_is_over(passes: Passes) -> None:
    phone, tablet = passes.issue("phone"), passes.issue("tablet")
    passes.revoke(phone.partition(".")[0])
    assert passes.name_of_cookie(cookie(phone)) is None
    assert passes.name_of_cookie(cookie(tablet)) == "tablet"
    passes.refresh()
    assert passes.name_of_cookie(cookie(phone)) is None
    assert [one.name for one in passes.valid()] == ["tablet"]


@pytest.mark.parametrize("change", [{}, {"ann": Secret("another-token-of-ann-012")}])
def test_without_its_token_a_pass_is_over(
    passes: Passes, tokens: dict[str, Secret], change: dict[str, Secret]
) -> None:
    by_token, by_link = passes.issue("ann", token="ann"), passes.issue("ann")
    assert passes.name_of_cookie(cookie(by_token)) == "ann"
    tokens.clear()
    tokens.update(change)
    assert passes.name_of_cookie(cookie(by_token)) is None
    assert passes.name_of_cookie(cookie(by_link)) == "ann"
    assert len(passes.valid()) == 1


def test_another_process_hears_of_it_at_its_next_look(
    passes: Passes, store: Store, clock: Clock, tokens: dict[str, Secret]
) -> None:
    other = Passes(store.key_values, lambda: tokens, clock=clock)
    value = passes.issue("phone")
    assert other.name_of_cookie(cookie(value)) is None
    found = other.look_up(cookie(value))
    assert found is not None
    assert found.name == "phone"
    passes.revoke(found.id)
    other.refresh()
    assert other.look_up(cookie(value)) is None


def test_the_last_use_is_noted_but_brings_nothing_back(
    passes: Passes, store: Store, clock: Clock, tokens: dict[str, Secret]
) -> None:
    value = passes.issue("phone")
    key = f"pass.{value.partition('.')[0]}"
    clock.now += NOTED_EVERY_S
    passes.name_of_cookie(cookie(value))
    assert passes.valid()[0].used_at == clock.now
    passes.refresh()
    assert store.key_values.get(key)["used_at"] == clock.now
    clock.now += NOTED_EVERY_S
    passes.name_of_cookie(cookie(value))
    Passes(store.key_values, lambda: tokens, clock=clock).revoke(value.partition(".")[0])
    passes.refresh()
    assert store.key_values.get(key) is None
    assert passes.name_of_cookie(cookie(value)) is None


def test_what_nobody_uses_ends_by_itself(passes: Passes, store: Store, clock: Clock) -> None:
    used, unused = passes.issue("used"), passes.issue("unused")
    for _ in range(3):
        clock.now += UNUSED_S * 0.4
        assert passes.name_of_cookie(cookie(used)) == "used"
        passes.refresh()
    assert passes.name_of_cookie(cookie(unused)) is None
    assert len(store.key_values.starting_with("pass.")) == 1


@pytest.mark.parametrize(
    "row",
    [1, "text", [], {}, {"id": 5}, {"id": "a", "name": "b", "new_field": 1}],
)
def test_a_row_that_is_not_understood_disturbs_nobody(
    passes: Passes, store: Store, row: Any
) -> None:
    value = passes.issue("phone")
    store.key_values.set("pass.zzz", row)
    passes.refresh()
    assert passes.name_of_cookie(cookie(value)) == "phone"
    assert passes.name_of_cookie(cookie("zzz.x")) is None


def test_a_store_in_trouble_keeps_in_who_is_in(
    passes: Passes, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = passes.issue("phone")

    def fail(_prefix: str) -> dict[str, Any]:
        raise StoreError()

    monkeypatch.setattr(store.key_values, "starting_with", fail)
    assert passes.look_up(cookie("made.up")) is None
    assert passes.name_of_cookie(cookie(value)) == "phone"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("  my \n phone\t", "my phone"),
        ("手机", "手机"),
        ("", "?"),
        ("\u202e\x00", "?"),
        ("x" * 200, "x" * 40),
    ],
)
def test_a_name_is_one_short_line(passes: Passes, name: str, kept: str) -> None:
    assert passes.name_of_cookie(cookie(passes.issue(name))) == kept


# -- one-time links --------------------------------------------------------------------------------


def test_a_link_is_good_once(store: Store, clock: Clock) -> None:
    invitations = Invitations(store.key_values, clock=clock)
    made = invitations.make("phone", manages=True)
    assert made.code not in repr(made)
    assert made.code not in str(store.key_values.starting_with(""))
    assert invitations.is_open(made)
    redeemed = invitations.redeem(made.code)
    assert redeemed is not None
    assert (redeemed.name, redeemed.manages) == ("phone", True)
    assert not invitations.is_open(made)
    assert invitations.redeem(made.code) is None


@pytest.mark.parametrize("passed_s", [LIFETIME_S + 1, -1.0, 40 * 24 * 3600.0])
def test_a_link_ends_by_itself(store: Store, clock: Clock, passed_s: float) -> None:
    invitations = Invitations(store.key_values, clock=clock)
    made = invitations.make("phone")
    clock.now += passed_s
    assert invitations.redeem(made.code) is None
    clock.now += 2 * 24 * 3600.0  # no clock on the same database differs by so much
    invitations.make("tablet")
    assert len(store.key_values.starting_with("invitation.")) == 1


def test_of_many_who_press_at_once_one_gets_in(store: Store) -> None:
    invitations = Invitations(store.key_values)
    made = invitations.make("phone")
    with ThreadPoolExecutor(8) as pool:
        redeemed = list(pool.map(invitations.redeem, [made.code] * 8))
    assert sum(one is not None for one in redeemed) == 1


@pytest.mark.parametrize("row", [1, {}, {"expires_at": "soon"}, {"expires_at": True}])
def test_a_link_that_is_not_understood_lets_nobody_in(store: Store, clock: Clock, row: Any) -> None:
    invitations = Invitations(store.key_values, clock=clock)
    code = invitations.make("phone").code
    (key,) = store.key_values.starting_with("invitation.")
    store.key_values.set(key, row)
    assert invitations.redeem(code) is None


def test_codes_that_are_made_up_are_worth_nothing(store: Store) -> None:
    invitations = Invitations(store.key_values)
    code = invitations.make("phone").code
    letters = list(code)
    random.Random(1).shuffle(letters)
    for guess in ("", "x", code[:-1], code + "x", "".join(letters), code.swapcase(), "\ud800"):
        assert invitations.redeem(guess) is None


# -- which page asks -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({"origin": "http://studio.lan:8501"}, True),
        ({"origin": "https://studio.lan:8501"}, True),
        ({"origin": "HTTP://STUDIO.LAN:8501"}, True),
        ({"referer": "http://studio.lan:8501/gallery?x=1"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "http://studio.lan"}, False),
        ({"origin": "http://studio.lan:9000"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://user@studio.lan:8501"}, False),
        ({"referer": "http://evil.example/?http://studio.lan:8501"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-origin", "origin": "http://evil.example"}, False),
        ({"sec-fetch-site": "cross-site", "referer": "http://studio.lan:8501/"}, False),
    ],
)
def test_a_pass_counts_on_the_studios_own_pages_only(headers: dict[str, str], is_own: bool) -> None:
    connection = ConnectionFacts("192.168.1.9", {"host": "studio.lan:8501", **headers})
    assert is_own_page(connection) is is_own
