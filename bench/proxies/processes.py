"""What a process used: its processor time and its memory, as Linux counts them."""

import contextlib
import os
import re
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")

# A process has come to rest when it did next to nothing for longer than it puts work off: the
# studio fills its search index half a second after the last answer.
REST_S = 0.75
REST_AT_MOST_S = 60.0
LOOK_EVERY_S = 0.06
BUSY_SHARE = 0.03


def cpu_s(pid: int) -> float:
    """Return the processor seconds a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int, name: str) -> float:
    """Return a line of a process's memory, such as VmRSS or VmHWM."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def forget_peak(pid: int) -> None:
    """Have VmHWM begin anew."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def come_to_rest(pid: int) -> None:
    """Wait until a process has done what it does behind the last byte it sent.

    Measured beside others it would slow them down, and leave its own cost out.
    """
    deadline = time.monotonic() + REST_AT_MOST_S
    used, busy_at = _run_s(pid), time.monotonic()
    while busy_at + REST_S > time.monotonic() and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
        before, used = used, _run_s(pid)
        if used - before > LOOK_EVERY_S * BUSY_SHARE:
            busy_at = time.monotonic()


def _run_s(pid: int) -> float:
    """Return the processor seconds of the threads there are; finer than ticks."""
    total = 0
    for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # it has ended
            total += int(stat.read_text().split()[0])
    return total / 1e9
