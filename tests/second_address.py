"""A second network address on this machine, in a namespace of its own. Nothing leaves here."""

import contextlib
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

import pytest

_made = itertools.count()


@dataclass(frozen=True)
class SecondAddress:
    """Two ends of one line: `here` is ours, `there` belongs to whoever runs in the namespace."""

    name: str
    here: str
    there: str

    def inside(self, *command: str) -> list[str]:
        """Return the command that runs `command` at the other end."""
        return ["ip", "netns", "exec", self.name, *command]


@contextlib.contextmanager
def second_address() -> Iterator[SecondAddress]:
    """Make the line until the block ends; its name and addresses are this process's own."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("a second network address needs root and iproute2")
    # Test runs go on side by side; an interface's name has at most 15 characters.
    number = (os.getpid() * 4 + next(_made)) % (1 << 14)
    name = f"inkling{number:x}"
    ours, theirs = f"{name}-0", f"{name}-1"
    network = ip_address("10.213.0.0") + 4 * number
    line = SecondAddress(name, str(network + 1), str(network + 2))
    subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
    subprocess.run(["ip", "link", "del", ours], check=False, capture_output=True)
    _ip("netns", "add", name)
    try:
        _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
        # No IPv6 address that comes by itself a second later: Chromium takes that for another
        # network, and drops what it was loading.
        _ip("link", "set", ours, "addrgenmode", "none", must=False)  # where there is IPv6 at all
        _ip("-n", name, "link", "set", theirs, "addrgenmode", "none", must=False)
        _ip("address", "add", f"{line.here}/30", "dev", ours)
        _ip("-n", name, "address", "add", f"{line.there}/30", "dev", theirs)
        _ip("link", "set", ours, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "link", "set", theirs, "up")
        yield line
    finally:
        _ip("netns", "del", name)


def _ip(*arguments: str, must: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=must, capture_output=True)
