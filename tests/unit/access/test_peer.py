"""Whose socket is at the other end of a loopback connection, asked of this machine's own kernel."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from core.access.forwarders import Latch
from core.access.network import peer, sock_diag
from core.access.network.peer import Peer, look_at, whose_socket
from core.access.network.sock_diag import CannotTellError

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")


@contextmanager
def listening(kind: str) -> Iterator[socket.socket]:
    family = socket.AF_INET if kind == "ipv4" else socket.AF_INET6
    with socket.socket(family) as server:
        if kind == "dual":
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind({"ipv4": ("127.0.0.1", 0), "ipv6": ("::1", 0), "dual": ("::", 0)}[kind])
        server.listen()
        yield server


def ends(accepted: socket.socket) -> tuple[tuple[str, int], tuple[str, int]]:
    return accepted.getpeername()[:2], accepted.getsockname()[:2]


KINDS = [
    ("ipv4", "127.0.0.1"),
    ("ipv6", "::1"),
    ("dual", "127.0.0.1"),
    ("dual", "::ffff:127.0.0.1"),
]
WAYS: list[Callable[..., int | None]] = [sock_diag._by_netlink, sock_diag._by_proc]


@needs_linux
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("kind", "host"), KINDS)
def test_an_open_socket_has_its_users_uid_and_a_closed_one_none(
    way: Callable[..., int | None], kind: str, host: str
) -> None:
    with listening(kind) as server:
        client = socket.create_connection((host, server.getsockname()[1]))
        accepted, _ = server.accept()
        with accepted:
            there, here = (sock_diag._end(one) for one in ends(accepted))
            assert way(there, here) == os.geteuid()
            assert way(there._replace(port=there.port ^ 1), here) is None
            assert way(here, sock_diag._end((host, 1))) is None  # only listens
            client.close()
            assert way(there, here) is None


@needs_linux
@needs_root
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("kind", "host"), KINDS)
def test_another_users_socket_is_told_apart(
    way: Callable[..., int | None], kind: str, host: str
) -> None:
    with listening(kind) as server:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        os.seteuid(65534)
        try:
            client = socket.socket(family)  # belongs to whom this process runs as at this moment
        finally:
            os.seteuid(0)
        with client:
            client.connect((host, server.getsockname()[1]))
            accepted, _ = server.accept()
            with accepted:
                assert way(*(sock_diag._end(one) for one in ends(accepted))) == 65534
                assert whose_socket(*ends(accepted)) == "another"


@needs_linux
def test_our_own_is_ours_and_what_is_not_there_is_nobodys() -> None:
    with listening("ipv4") as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        with accepted:
            assert whose_socket(*ends(accepted)) == "ours"
            client.close()
            assert whose_socket(*ends(accepted)) == "nobody"


@needs_linux
def test_a_reply_to_an_earlier_question_is_passed_over() -> None:
    """The socket that asks is kept: what nobody has read still lies in it."""
    line = sock_diag._Line()
    with listening("ipv4") as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        with client, accepted:
            there, here = (sock_diag._end(one) for one in ends(accepted))
            stranger = there._replace(port=there.port ^ 1)
            assert sock_diag._by_netlink(there, here, line) == os.geteuid()
            assert sock_diag._by_netlink(stranger, here, line) is None
            assert line._socket is not None
            # An operation of nobody's that asks to be acknowledged.
            line._socket.sendto(sock_diag._HEADER.pack(16, 3, 1 | 4, 0, 0), (0, 0))
            assert sock_diag._by_netlink(there, here, line) == os.geteuid()
            line._socket.close()  # as good as broken: the question after that works again
            with pytest.raises(OSError, match="descriptor"):
                sock_diag._by_netlink(there, here, line)
            assert sock_diag._by_netlink(there, here, line) == os.geteuid()
    line._hang_up()


def test_a_kernel_without_the_question_is_read_from_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int | None:
        raise PermissionError

    monkeypatch.setattr(sock_diag, "_by_netlink", refuse)
    monkeypatch.setattr(sock_diag, "_by_proc", lambda *_: 7)
    monkeypatch.setattr(sys, "platform", "linux")
    assert sock_diag.uid_behind(("127.0.0.1", 5), ("127.0.0.1", 6)) == 7


def test_where_nothing_tells_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int | None:
        raise CannotTellError

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sock_diag, "_by_netlink", refuse)
    monkeypatch.setattr(sock_diag, "_by_proc", refuse)
    assert whose_socket(("127.0.0.1", 5), ("127.0.0.1", 6)) == "unknown"
    # "Not there" from a kernel that has never found anything is no answer either.
    monkeypatch.setattr(sock_diag, "_answers", set())
    monkeypatch.setattr(sock_diag, "_by_netlink", lambda *_: None)
    assert whose_socket(("127.0.0.1", 5), ("127.0.0.1", 6)) == "unknown"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert whose_socket(("127.0.0.1", 5), ("127.0.0.1", 6)) == "unknown"


def test_users_that_are_all_shown_as_one_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "uid_behind", lambda *_: os.geteuid())
    monkeypatch.setattr(peer, "_stands_for_many", lambda _uid: True)
    assert whose_socket(("127.0.0.1", 5), ("127.0.0.1", 6)) == "another"


def test_only_loopback_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def note(*ends: object) -> str:
        asked.append(ends)
        return "ours"

    monkeypatch.setattr(peer, "whose_socket", note)
    look_at(("203.0.113.9", 5), ("192.168.1.2", 6), http_version="1.1")
    look_at(("127.0.0.1", 0), ("127.0.0.1", 6), http_version="1.1", is_rewritten=True)
    look_at(None, None, http_version="1.1")
    assert asked == []
    assert look_at(("127.0.0.1", 5), ("127.0.0.1", 6), http_version="1.1").whose == "ours"


def test_a_peer_survives_its_header() -> None:
    one = Peer("::1", "another", is_rewritten=True, http_version="1.0")
    assert Peer.from_header(one.to_header()) == one
    assert Peer.from_header(None) is None


@pytest.mark.parametrize("seal", ["", " ", "0" * 32 + " ", "é "])
def test_nobody_else_can_write_that_header(seal: str) -> None:
    _, _, facts = Peer("127.0.0.1", "ours").to_header().partition(" ")
    assert Peer.from_header(seal + facts) is None


@pytest.mark.parametrize(
    ("peer", "sign", "holds"),
    [
        (Peer("127.0.0.1", "ours"), "via", True),
        (Peer("::1", "unknown"), "HTTP/1.0", True),
        (Peer("203.0.113.9", is_rewritten=True), "x-forwarded-for", True),
        (Peer("127.0.0.1", "ours"), None, False),
        (Peer("127.0.0.1", "another"), "via", False),  # that peer alone is refused
        (Peer("127.0.0.1", "nobody"), "via", False),
        (Peer("203.0.113.9"), "via", False),
    ],
)
def test_the_latch_holds_once_who_could_pass_for_the_owner_forwards(
    peer: Peer, sign: str | None, holds: bool
) -> None:
    latch = Latch()
    latch.notice(peer, sign)
    assert (latch.sign is not None) is holds
    latch.notice(Peer("127.0.0.1", "ours"), None)
    assert (latch.sign is not None) is holds
    latch.release()
    assert latch.sign is None
