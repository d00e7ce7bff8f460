"""Socket ownership: the uid behind the far end of a TCP connection within this machine (Linux).

Asked of the kernel by the connection's exact four addresses, through netlink's `sock_diag`; where
that is not to be had, read from `/proc/net/tcp` and `tcp6`. No answer is kept for the next
question: the same port may belong to somebody else a moment later. The socket that asks is kept.
"""

import atexit
import contextlib
import errno
import ipaddress
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_ESTABLISHED = 1
_SOCK_DIAG = 4  # NETLINK_SOCK_DIAG
_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
_REQUEST = 1  # NLM_F_REQUEST
_ERROR = 2  # NLMSG_ERROR
_NO_COOKIE = 0xFFFFFFFF
_KERNEL = (0, 0)
# nlmsghdr, inet_diag_req_v2 with its inet_diag_sockid, and the reply's inet_diag_msg.
_HEADER = struct.Struct("=IHHII")
_QUESTION = struct.Struct("=BBBBI")
_PORTS = struct.Struct("!HH")
_FAMILY_STATE = struct.Struct("=BBBB")
_TAIL = struct.Struct("=IIIII")  # expires, rqueue, wqueue, uid, inode
_SOCKET_ID = 48
_REPLY = _HEADER.size + _FAMILY_STATE.size + _SOCKET_ID + _TAIL.size

Address = tuple[str, int]


class CannotTellError(Exception):
    """This system does not say whose socket it is."""


class _End(NamedTuple):
    """One end of a connection, IPv4 written as IPv6 taken for the IPv4 that it is."""

    packed: bytes
    port: int


def uid_behind(client: Address, server: Address) -> int | None:
    """Return the uid of the client's open socket; None when there is no such socket.

    Raises CannotTellError where the system does not tell.
    """
    if sys.platform != "linux":
        raise CannotTellError
    ends = _end(client), _end(server)
    try:
        uid = _by_netlink(*ends)
    except (OSError, CannotTellError):
        return _by_proc(*ends)
    if uid is not None:
        _answers.add("netlink")
    elif "netlink" not in _answers:
        # "Not there" is also what a kernel says that has no such diagnosis at all.
        with contextlib.suppress(CannotTellError):
            return _by_proc(*ends)
        raise CannotTellError
    return uid


_answers: set[str] = set()


def _end(address: Address) -> _End:
    return _End(_packed(address[0]), address[1])


@lru_cache(maxsize=256)  # asked for each request, of few addresses
def _packed(text: str) -> bytes:
    try:
        host = ipaddress.ip_address(text)
    except ValueError as error:
        raise CannotTellError from error
    if isinstance(host, ipaddress.IPv6Address) and host.ipv4_mapped is not None:
        host = host.ipv4_mapped
    return host.packed


def _by_netlink(client: _End, server: _End, line: "_Line | None" = None) -> int | None:
    """Ask for one socket: the one whose own end is the client's."""
    family = socket.AF_INET if len(client.packed) == 4 else socket.AF_INET6
    wanted = b"".join(
        (
            _PORTS.pack(client.port, server.port),
            client.packed.ljust(16, b"\0"),
            server.packed.ljust(16, b"\0"),
            struct.pack("=III", 0, _NO_COOKIE, _NO_COOKIE),
        )
    )
    question = _QUESTION.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << _ESTABLISHED)
    return _uid_in((line or _line).ask(question + wanted), client, server)


class _Line:
    """The socket that asks, opened once: opening one costs ten times what a question does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._process = 0
        self._number = 0
        atexit.register(self._hang_up)

    def ask(self, question: bytes) -> bytes:
        """Return the kernel's reply to this very question; OSError where there is none."""
        with self._lock:
            try:
                return self._ask(question)
            except OSError:
                self._hang_up()  # the next question has a new one
                raise

    def _ask(self, question: bytes) -> bytes:
        if self._socket is None or self._process != os.getpid():  # a fork has it in common
            self._hang_up()
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG)
            self._process = os.getpid()
        self._number = self._number % _NO_COOKIE + 1
        size = _HEADER.size + len(question)
        header = _HEADER.pack(size, _BY_FAMILY, _REQUEST, self._number, 0)
        self._socket.sendto(header + question, _KERNEL)
        while True:
            # The kernel has answered when `sendto` returns: nothing is waited for.
            reply, (sender, _) = self._socket.recvfrom(4096, socket.MSG_DONTWAIT)
            is_whole = len(reply) >= _HEADER.size
            if sender == 0 and is_whole and _HEADER.unpack_from(reply)[3] == self._number:
                return reply

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


_line = _Line()


def _uid_in(reply: bytes, client: _End, server: _End) -> int | None:
    if len(reply) < _HEADER.size + 4:
        raise CannotTellError
    kind = _HEADER.unpack_from(reply)[1]
    if kind == _ERROR:
        (code,) = struct.unpack_from("=i", reply, _HEADER.size)
        if code == -errno.ENOENT:
            return None
        raise CannotTellError
    if kind != _BY_FAMILY or len(reply) < _REPLY:
        raise CannotTellError
    _, state, _, _ = _FAMILY_STATE.unpack_from(reply, _HEADER.size)
    start = _HEADER.size + _FAMILY_STATE.size
    found = reply[start : start + _SOCKET_ID]
    ports = _PORTS.unpack_from(found)
    _, _, _, uid, inode = _TAIL.unpack_from(reply, start + _SOCKET_ID)
    # Where no such connection is left the kernel may answer with a socket that only listens.
    is_it = ports == (client.port, server.port) and (
        _plain(found[4:20], client) == client.packed
        and _plain(found[20:36], server) == server.packed
    )
    # A closed client's row lives on for a while, without an inode: as if it were root's.
    return uid if is_it and state == _ESTABLISHED and inode else None


def _plain(packed: bytes, like: _End) -> bytes:
    if len(like.packed) == 16:
        return packed
    # A socket of IPv6 that speaks IPv4: ::ffff:a.b.c.d.
    return packed[12:] if packed.startswith(b"\0" * 10 + b"\xff\xff") else packed[:4]


def _by_proc(client: _End, server: _End) -> int | None:
    """Look through the tables of sockets: slower, and there where netlink is not."""
    readable = False
    for name in ("tcp", "tcp6"):
        try:
            text = Path("/proc/net", name).read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        readable = True
        wanted = {
            (mine, theirs) for mine, theirs in zip(_written(client), _written(server), strict=True)
        }
        for uid in _rows(text, wanted):
            return uid
    if not readable:
        raise CannotTellError
    return None


def _rows(table: str, wanted: set[tuple[str, str]]) -> Iterator[int]:
    for line in table.splitlines()[1:]:
        columns = line.split()
        if len(columns) < 10 or (columns[1], columns[2]) not in wanted:
            continue
        if columns[3] == "01" and columns[9] != "0" and columns[7].isdigit():
            yield int(columns[7])


def _written(end: _End) -> tuple[str, ...]:
    """Return how /proc writes an end: 32-bit words of this machine, in hexadecimal."""
    forms = [end.packed]
    if len(end.packed) == 4:
        forms.append(b"\0" * 10 + b"\xff\xff" + end.packed)
    return tuple(f"{_words(form)}:{end.port:04X}" for form in forms)


def _words(packed: bytes) -> str:
    return "".join(
        f"{int.from_bytes(packed[at : at + 4], sys.byteorder):08X}"
        for at in range(0, len(packed), 4)
    )
