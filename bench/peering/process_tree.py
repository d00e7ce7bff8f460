"""A program with all processes it started: memory, processor time, rest; as Linux counts them."""

import contextlib
import re
import time
from dataclasses import dataclass
from pathlib import Path

from bench.proxies import processes

# At rest is what used less than this share of a processor for so long; or what never stands still
# (Gradio with a page open), once it used little, and as much as before.
REST_S, REST_SHARE, REST_AT_MOST_S = 2.0, 0.03, 30.0
STEADY_SHARE, STEADY_WITHIN_SHARE = 0.25, 0.02


@dataclass(frozen=True, slots=True)
class Memory:
    """What a tree has in use, in MB: all resident pages, and its share of those it shares."""

    rss: float
    pss: float


def parent_of(stat: str) -> int:
    """Return the parent in a line of /proc/N/stat, whatever the program's name holds."""
    return int(stat.rpartition(")")[2].split()[1])


def pss_mb(rollup: str) -> float:
    """Return the proportional share in a text of /proc/N/smaps_rollup."""
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def tree(root: int) -> list[int]:
    """Return a process and all below it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            children.setdefault(parent_of(stat.read_text()), []).append(int(stat.parent.name))
    found = [root]
    for one in found:
        found += children.get(one, [])
    return found


def memory(root: int) -> Memory:
    """Return the memory of a whole tree."""
    rss = pss = 0.0
    for one in tree(root):
        with contextlib.suppress(OSError):
            rss += processes.memory_mb(one, "VmRSS")
            pss += pss_mb(Path(f"/proc/{one}/smaps_rollup").read_text())
    return Memory(rss, pss)


def cpu_s(root: int) -> float:
    """Return the processor seconds that the processes of a tree have used so far."""
    total = 0.0
    for one in tree(root):
        with contextlib.suppress(OSError):
            total += processes.cpu_s(one)
    return total


def come_to_rest(root: int) -> None:
    """Wait until a tree has done what it does behind its start, or behind an answer."""
    deadline = time.monotonic() + REST_AT_MOST_S
    used, share = cpu_s(root), 1.0
    while time.monotonic() < deadline:
        time.sleep(REST_S)
        before, used = used, cpu_s(root)
        share_before, share = share, (used - before) / REST_S
        steady = abs(share - share_before) <= STEADY_WITHIN_SHARE and share <= STEADY_SHARE
        if share <= REST_SHARE or steady:
            return
