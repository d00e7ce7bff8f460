"""The latch: once somebody on this machine has forwarded a call, being on loopback proves nothing.

A proxy may send signs of itself for one path and none for the next. Where its socket is another
user's that alone keeps it out; where it is the studio's own user's, or the system does not tell,
one sign is enough: from then on nobody is "here" until the server is started again.
"""

import logging

from core.access.network.addresses import is_loopback
from core.access.network.peer import Peer

logger = logging.getLogger(__name__)


class Latch:
    """Remembers the first sign of a forwarder that could pass for the owner."""

    def __init__(self) -> None:
        self._sign: str | None = None

    @property
    def sign(self) -> str | None:
        """What showed it: the name of a header, or HTTP/1.0; None as long as nothing has."""
        return self._sign

    def notice(self, peer: Peer, sign: str | None) -> None:
        """Take note of a request's sign of forwarding, if it has one that matters."""
        if sign is None or self._sign is not None or peer.whose in ("another", "nobody"):
            return
        if peer.is_rewritten or is_loopback(peer.address):
            self._sign = sign
            logger.warning(
                "A call was forwarded by a program on this machine (%s): "
                "nobody is taken for the owner any more until the studio is started again",
                sign,
            )

    def release(self) -> None:
        """Forget it, as a new start does."""
        self._sign = None


LATCH = Latch()  # one a process: what it says is about the machine
