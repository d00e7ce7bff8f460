"""Who calls, and from where: the judgement the HTTP layer and the pages share."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access.callers import Verdict, identify, judge
from core.access.connection import ConnectionFacts, Rules
from core.access.network.addresses import is_loopback

TOKEN = "a-token-of-this-test-0123"
RULES = Rules(
    hosts={"studio.lan", "studio.lan:8443"},
    origins={"https://front.example", "null"},
    tokens={"phone": TOKEN},
)


def verdict(
    address: str | None = "127.0.0.1",
    rules: Rules = RULES,
    token: str | None = None,
    scheme: str = "http",
    headers: dict[str, str] | None = None,
    **more: str,
) -> Verdict:
    named = {name.replace("_", "-"): value for name, value in {**(headers or {}), **more}.items()}
    return judge(
        ConnectionFacts(address, {"host": "localhost:8501", **named}, scheme, token), rules
    )


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_may_call(address: str) -> None:
    assert verdict(address) == Verdict("local")


@pytest.mark.parametrize(
    "address",
    ["192.168.1.5", "10.0.0.1", "203.0.113.9", "::ffff:10.0.0.1", "fe80::1", "", None, "x"],
)
def test_another_machine_may_not(address: str | None) -> None:
    assert verdict(address).refusal == "elsewhere"


@pytest.mark.parametrize(
    "header",
    ["x-forwarded-for", "forwarded", "x-real-ip", "via", "x-forwarded-host", "cf-connecting-ip"],
)
@pytest.mark.parametrize("value", ["127.0.0.1", "", "for=127.0.0.1", "localhost"])
def test_a_forwarded_call_is_from_elsewhere_whatever_it_says(header: str, value: str) -> None:
    assert verdict(headers={header: value}).refusal == "elsewhere"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:80",
        "127.0.0.1",
        "127.0.0.1:8501",
        "[::1]:8501",
        "studio.lan",
        "studio.lan:1",
        "studio.lan:8443",
    ],
)
def test_a_name_of_this_machine_is_accepted(host: str) -> None:
    assert verdict(host=host).caller == "local"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "localhost:80@evil",
        "evil.example:localhost",
        "192.168.1.5",
        "localhost, evil.example",
        "[::1",
        "localhost.",
    ],
)
def test_another_name_is_rebinding(host: str) -> None:
    assert verdict(host=host).refusal == "host"


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost",
        "http://localhost:5173",
        "http://127.0.0.1:3000",
        "http://LocalHost:1",
        "https://front.example",
        "null",
    ],
)
def test_pages_of_allowed_origins_may_call(origin: str) -> None:
    assert verdict(origin=origin).caller == "local"
    assert verdict(origin=origin, sec_fetch_site="cross-site").caller == "local"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://localhost:80@evil.example",
        "https://localhost:5173",
        "http://127.0.0.1.evil.example",
        "file://",
        "",
        "http://",
        "https://front.example.evil",
        "https://front.example:444",
        "http://front.example",
        "http://localhost, https://evil.example",
        "http://localhost:x",
        "http://[::1",
    ],
)
def test_pages_of_other_origins_may_not(origin: str) -> None:
    assert verdict(origin=origin).refusal == "origin"
    assert verdict("10.0.0.1", token=TOKEN, origin=origin).refusal == "origin"


def test_a_page_from_a_file_may_call_only_when_listed() -> None:
    assert verdict(origin="null").caller == "local"
    assert verdict(rules=Rules(), origin="null").refusal == "origin"


def test_our_own_pages_may_call_under_any_known_name() -> None:
    assert verdict(host="studio.lan:8443", origin="https://studio.lan:8443", scheme="https").caller
    assert verdict(host="[::1]:8501", origin="http://[::1]:8501").caller == "local"
    assert verdict(host="studio.lan:8443", origin="http://studio.lan:8443", scheme="https").refusal


@pytest.mark.parametrize(
    ("headers", "is_allowed"),
    [
        ({"sec_fetch_site": "cross-site"}, False),  # <img>, a link, a form without Origin
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "none"}, True),  # typed into the address bar
        ({"sec_fetch_site": "same-site"}, True),  # another port of this machine
        ({"sec_fetch_site": "same-site", "host": "studio.lan"}, False),  # a sister domain
        ({"referer": "https://evil.example/page"}, False),  # browsers without Sec-Fetch
        ({"referer": "http://localhost:3000/page"}, True),
        ({"referer": "nonsense"}, False),
    ],
)
def test_calls_of_pages_without_an_origin(headers: dict[str, str], is_allowed: bool) -> None:
    assert (verdict(headers=headers).caller is not None) is is_allowed


def test_a_token_opens_from_anywhere_and_names_its_caller() -> None:
    assert verdict("203.0.113.9", token=TOKEN, host="any.example") == Verdict("token:phone")
    bearer = {"authorization": f"Bearer {TOKEN}"}
    assert verdict("203.0.113.9", headers=bearer).caller == "token:phone"
    assert verdict(x_forwarded_for="203.0.113.9", headers=bearer).caller == "token:phone"


@pytest.mark.parametrize(
    "token", [TOKEN[:-1], TOKEN + "x", TOKEN[:-1] + "4", TOKEN.upper(), " " + TOKEN, "é", "phone"]
)
def test_a_token_that_is_not_the_one_is_refused(token: str) -> None:
    assert verdict("203.0.113.9", token=token).refusal == "token"


def test_a_key_of_some_client_does_not_keep_this_machine_out() -> None:
    assert verdict(authorization="Bearer sk-anything").caller == "local"


def test_a_removed_token_is_worth_nothing() -> None:
    assert verdict("203.0.113.9", rules=Rules(), token=TOKEN).refusal == "token"


def test_pages_ask_the_same_question() -> None:
    def caller(address: str, **headers: str) -> str | None:
        return identify(ConnectionFacts(address, headers), Rules()).caller

    assert caller("127.0.0.1", host="localhost:8501") == "local"
    assert caller("127.0.0.1", host="localhost", **{"x-forwarded-for": "1.2.3.4"}) is None
    assert caller("10.0.0.1", host="localhost") is None


words = st.text(max_size=60)
names = st.sampled_from(
    ["host", "origin", "referer", "sec-fetch-site", "authorization", "x-forwarded-for", "via"]
)


@given(
    st.one_of(st.none(), words, st.ip_addresses().map(str)), st.dictionaries(names, words), words
)
def test_nothing_a_caller_sends_breaks_the_judgement(
    address: str | None, headers: dict[str, str], token: str
) -> None:
    found = judge(ConnectionFacts(address, headers, "http", token), RULES)
    assert (found.caller is None) != (found.refusal is None)


@given(
    st.ip_addresses().map(str).filter(lambda address: not is_loopback(address)),
    st.dictionaries(names, words),
    st.text(string.ascii_letters + string.digits + "-", max_size=30).filter(lambda t: t != TOKEN),
)
def test_nobody_from_elsewhere_comes_in_without_the_token(
    address: str, headers: dict[str, Any], token: str
) -> None:
    assert judge(ConnectionFacts(address, headers, "http", token), RULES).caller is None
