"""A second network address on this machine, in a namespace of its own. Nothing leaves here.

Chromium drops whatever it loads when the machine's addresses change (ERR_NETWORK_CHANGED), the
pages of other workers' tests too. So a run with workers makes the lines before they start.
"""

import contextlib
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from ipaddress import ip_address

import pytest

# The lines that were made before the workers started: name, here, there.
_MADE_BEFORE = "INKLING_SECOND_ADDRESSES"
_EACH_WORKER = 2  # as many as one worker's tests hold at once
_NUMBERS = 1 << 14
_taken: set[str] = set()
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
    """Lend a line until the block ends: one that was made before, or else one of its own."""
    if not _is_possible():
        pytest.skip("a second network address needs root and iproute2")
    line = next((one for one in _of_this_worker() if one.name not in _taken), None)
    if line is None:
        line = _make()
        try:
            yield line
        finally:
            _remove(line)
        return
    _taken.add(line.name)
    try:
        yield line
    finally:
        _taken.remove(line.name)


@contextlib.contextmanager
def made_for_workers(count: int) -> Iterator[None]:
    """Make the lines of so many workers; they find them in their environment."""
    lines: list[SecondAddress] = []
    try:
        if _is_possible():
            for _ in range(count * _EACH_WORKER):
                lines.append(_make())
            os.environ[_MADE_BEFORE] = json.dumps([astuple(line) for line in lines])
        yield
    finally:
        os.environ.pop(_MADE_BEFORE, None)
        for line in lines:
            _remove(line)


def _is_possible() -> bool:
    return os.geteuid() == 0 and shutil.which("ip") is not None


def _of_this_worker() -> list[SecondAddress]:
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    lines = json.loads(os.environ.get(_MADE_BEFORE, "[]"))[number * _EACH_WORKER :]
    return [SecondAddress(*line) for line in lines[:_EACH_WORKER]]


def _make() -> SecondAddress:
    # Test runs go on side by side; an interface's name has at most 15 characters.
    number = (os.getpid() * 16 + next(_made)) % _NUMBERS
    name = f"inkling{number:x}"
    ours, theirs = f"{name}-0", f"{name}-1"
    network = ip_address("10.213.0.0") + 4 * number
    line = SecondAddress(name, str(network + 1), str(network + 2))
    _ip("netns", "del", name, must=False)
    _ip("link", "del", ours, must=False)
    _ip("netns", "add", name)
    try:
        _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
        # No IPv6 address that comes by itself a second later: that would be another change.
        _ip("link", "set", ours, "addrgenmode", "none", must=False)  # where there is IPv6 at all
        _ip("-n", name, "link", "set", theirs, "addrgenmode", "none", must=False)
        _ip("address", "add", f"{line.here}/30", "dev", ours)
        _ip("-n", name, "address", "add", f"{line.there}/30", "dev", theirs)
        _ip("link", "set", ours, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "link", "set", theirs, "up")
    except BaseException:
        _remove(line)
        raise
    return line


def _remove(line: SecondAddress) -> None:
    _ip("netns", "del", line.name)


def _ip(*arguments: str, must: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=must, capture_output=True)
