"""The peer of a connection: what is known of who stands at its other end, told to whoever judges.

A fact of the connection, which no request can leave out or make up: the address, and on loopback
whose socket it is. The pages' script is given it in a header which callers cannot send.
"""

import hmac
import json
import os
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from core.access.network.addresses import is_loopback
from core.access.network.sock_diag import Address, CannotTellError, uid_behind

# "nobody": no open socket is there; "unknown": this system does not tell, or it is not loopback.
Whose = Literal["ours", "another", "nobody", "unknown"]

PEER_HEADER = "x-inkling-peer"
_SEAL = secrets.token_hex(16)
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is connected. `address` is None where that cannot be told.

    `is_rewritten`: the server in front of us has put the address of a forwarding header in the
    place of the peer's own.
    """

    address: str | None
    whose: Whose = "unknown"
    is_rewritten: bool = False
    http_version: str = "1.1"

    def to_header(self) -> str:
        """Write it as the value of a header that only this process can write."""
        return f"{_SEAL} {_encode({name: getattr(self, name) for name in self.__slots__})}"

    @classmethod
    def from_header(cls, value: str | None) -> "Peer | None":
        """Read what `to_header` wrote; None where nobody of this process has told of the peer."""
        seal, _, facts = (value or "").partition(" ")
        # Where no middleware stands before the script, callers may send what they like.
        if not hmac.compare_digest(seal.encode("utf-8", "replace"), _SEAL.encode()):
            return None
        return cls(**json.loads(facts))


def look_at(
    client: Address | None, server: Address | None, *, http_version: str, is_rewritten: bool = False
) -> Peer:
    """Return what can be told of a connection's peer now."""
    address = client[0] if client else None
    whose: Whose = "unknown"
    if client and server and not is_rewritten and is_loopback(address):
        whose = whose_socket(client, server)
    return Peer(address, whose, is_rewritten, http_version)


def whose_socket(client: Address, server: Address) -> Whose:
    """Tell whether the far end's socket belongs to the user this process runs as."""
    try:
        uid = uid_behind(client, server)
    except CannotTellError:
        return "unknown"
    if uid is None:
        return "nobody"
    return "ours" if uid == os.geteuid() and not _stands_for_many(uid) else "another"


@cache
def _stands_for_many(uid: int) -> bool:
    """Tell whether `uid` is what all users are shown as whom this user namespace does not map."""
    try:
        overflow = int(Path("/proc/sys/kernel/overflowuid").read_text(encoding="ascii"))
        mapped = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return False
    return uid == overflow and mapped != ["0", "0", str(0xFFFFFFFF)]
