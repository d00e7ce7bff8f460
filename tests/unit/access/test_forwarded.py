"""Proxies: which are believed, whose address and whose name they may tell."""

import ipaddress

import pytest

from core.access.callers import Verdict, identify, judge
from core.access.connection import ConnectionFacts, Rules
from core.access.forwarding import caller_address
from core.access.network.addresses import hops
from core.access.network.host_names import can_be_this_machine
from core.access.network.peer import Whose

PROXIES = tuple(ipaddress.ip_network(one) for one in ("10.0.0.0/8", "fd00::/8"))
RULES = Rules(
    proxies=PROXIES, user_header="x-forwarded-email", users=("ann@example.com", "example.org")
)
NO_RULES = Rules()
HERE = {"host": "localhost:8501"}


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({}, "10.0.0.1"),
        ({"x-forwarded-for": "203.0.113.9"}, "203.0.113.9"),
        ({"x-forwarded-for": "1.1.1.1, 203.0.113.9"}, "203.0.113.9"),  # the left may be made up
        ({"x-forwarded-for": "1.1.1.1, 203.0.113.9, 10.2.3.4"}, "203.0.113.9"),
        ({"x-forwarded-for": "203.0.113.9:4711"}, "203.0.113.9"),
        ({"x-forwarded-for": "[2001:db8::7]:4711, fd00::1"}, "2001:db8::7"),
        ({"x-forwarded-for": "2001:db8::7"}, "2001:db8::7"),
        ({"x-forwarded-for": "10.9.9.9, 10.2.3.4"}, "10.9.9.9"),
        ({"forwarded": 'for=1.1.1.1, for="[2001:db8::7]:80";proto=https'}, "2001:db8::7"),
        ({"forwarded": "proto=https;For=203.0.113.9;by=10.0.0.1"}, "203.0.113.9"),
    ],
)
def test_a_listed_proxy_tells_the_callers_address(headers: dict[str, str], address: str) -> None:
    assert caller_address(ConnectionFacts("10.0.0.1", headers), RULES) == address
    assert caller_address(ConnectionFacts("::ffff:10.0.0.1", headers), RULES) in (
        address,
        "::ffff:10.0.0.1",
    )
    assert (
        caller_address(ConnectionFacts("192.0.2.1", headers), RULES) == "192.0.2.1"
    )  # anybody else


def test_what_stands_in_a_forwarding_header_may_be_anything() -> None:
    for text in ("", ",", ";;=,", "for=", "for", "[", '"', "::::", "unknown, _hidden"):
        hops({"x-forwarded-for": text})
        hops({"forwarded": text})


@pytest.mark.parametrize("address", ["10.0.0.1", "::ffff:10.0.0.1", "fd00::5"])
def test_a_listed_proxy_names_the_person(address: str) -> None:
    def named(value: str) -> Verdict:
        return identify(ConnectionFacts(address, {**HERE, "x-forwarded-email": value}), RULES)

    assert named("ann@example.com").caller == "user:ann@example.com"
    assert named(" Bob@Example.ORG ").caller == "user:bob@example.org"
    assert named("mallory@example.net") == Verdict(None, "user", "mallory@example.net")
    for unusable in ("", "ann", "ann@example.com, eve@example.org", "a b@example.org", "@@"):
        assert named(unusable).refusal == "elsewhere"


@pytest.mark.parametrize("address", ["192.0.2.1", "127.0.0.1", None, "", "x"])
def test_nobody_else_names_anybody(address: str | None) -> None:
    connection = ConnectionFacts(
        address, {"host": "evil.example", "x-forwarded-email": "ann@example.com"}
    )
    assert identify(connection, RULES).caller is None


def test_no_person_without_the_setting() -> None:
    rules = Rules(proxies=PROXIES, users=("ann@example.com",))
    connection = ConnectionFacts("10.0.0.1", {"x-forwarded-email": "ann@example.com"})
    assert identify(connection, rules).caller is None


def test_a_rewritten_peer_is_a_listed_one_only_where_all_that_may_rewrite_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    headers = {"x-forwarded-for": "203.0.113.9", "x-forwarded-email": "ann@example.com"}
    connection = ConnectionFacts("203.0.113.9", headers, is_rewritten=True)
    loopback = Rules(
        proxies=(ipaddress.ip_network("127.0.0.1"),),
        user_header="x-forwarded-email",
        users=("ann@example.com",),
    )
    assert identify(connection, loopback).caller == "user:ann@example.com"
    assert identify(connection, RULES).caller is None
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    assert identify(connection, loopback).caller is None


@pytest.mark.parametrize(
    ("whose", "caller"),
    [("ours", "local"), ("unknown", "local"), ("another", None), ("nobody", None)],
)
def test_on_loopback_the_socket_decides(whose: Whose, caller: str | None) -> None:
    assert identify(ConnectionFacts("127.0.0.1", HERE, whose=whose), Rules()).caller == caller


def test_what_ends_being_here() -> None:
    def refusal(
        connection: ConnectionFacts, rules: Rules = NO_RULES, forwarder: str | None = None
    ) -> object:
        return judge(connection, rules, forwarder=forwarder).refusal

    ours = ConnectionFacts("127.0.0.1", HERE, whose="ours")
    assert refusal(ours) is None
    assert refusal(ours, forwarder="via") == "forwarder"
    assert refusal(ours, Rules(behind_proxy=True)) == "behind_proxy"
    assert refusal(ours, Rules(proxies=(ipaddress.ip_network("127.0.0.0/8"),))) == "behind_proxy"
    assert (
        refusal(ConnectionFacts("127.0.0.1", HERE, whose="ours", http_version="1.0")) == "elsewhere"
    )
    assert refusal(ConnectionFacts("127.0.0.1", HERE, is_rewritten=True)) == "elsewhere"


@pytest.mark.parametrize("refused", [{"behind_proxy": True}, {}])
def test_a_pass_lets_in_whatever_keeps_others_out(refused: dict[str, bool]) -> None:
    rules = Rules(**refused)  # type: ignore[arg-type]
    for address in ("127.0.0.1", "203.0.113.9"):
        connection = ConnectionFacts(address, {"host": "studio.example.org"}, whose="another")
        assert judge(connection, rules, pass_name="phone") == Verdict("pass:phone")
        foreign = ConnectionFacts(address, {"host": "x.example", "sec-fetch-site": "cross-site"})
        assert judge(foreign, rules, pass_name="phone").refusal == "origin"
        sister = ConnectionFacts(address, {"host": "x.example", "sec-fetch-site": "same-site"})
        assert judge(sister, rules, pass_name="phone").refusal == "origin"


@pytest.mark.parametrize(
    "host",
    [
        *("nas", "studio:8501", "studio.local", "studio.LAN:8501", "box.home.arpa", "nas."),
        *("192.168.1.5:8501", "10.1.2.3", "172.31.0.1", "[fd00::1]:8501", "[fe80::1]"),
    ],
)
def test_a_name_that_may_be_this_machines(host: str) -> None:
    assert can_be_this_machine(host)


@pytest.mark.parametrize(
    "host",
    [
        *("studio.example.org", "evil.example:8501", "203.0.113.9", "172.32.0.1", ""),
        *("studio.local.evil.example", "[2001:db8::1]", "a b", "<b>", "lan.example", "notlocal.de"),
    ],
)
def test_a_name_that_leads_here_through_a_proxy(host: str) -> None:
    assert not can_be_this_machine(host)
