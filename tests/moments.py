"""Runs the unit, app and web tests at awkward moments and places, each in a process of its own.

    python -m tests.moments                 # all of them: a quarter of an hour each
    python -m tests.moments leap nobody     # those whose names hold one of these words
    python -m tests.moments --list

A test must pass whenever and wherever it runs: at midnight, on 29 February, half a world away,
without a locale, as another user than root. The clock is moved by libfaketime, as PyPI has it: in
Debian 12's the waits of Python 3.11 hang or fail. The last place needs root, to become somebody
else, and a Python that everybody may start. What follows `--` goes to pytest.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import libfaketime
import pytest

ROOT = Path(__file__).parents[1]
SUITES = ("tests/unit", "tests/app", "tests/web")
NOBODY = 65534
_NOT_PASSED_ON = ("INKLING_NO_SKIPS", "PYTHONDONTWRITEBYTECODE")

# Local times, in each of the zones.
MOMENTS = {
    "midnight": "2026-12-09 23:59:40",  # the day changes while the first tests run
    "quarter-past": "2026-12-09 01:11:00",
    "end-of-month": "2027-01-31 23:50:00",
    "leap-day": "2028-02-29 12:00:00",
}
ZONES = ("Asia/Shanghai", "America/New_York")


@dataclass(frozen=True)
class Mount:
    """When, where and as whom the tests run."""

    name: str
    moment: str | None
    environment: dict[str, str] = field(default_factory=dict)
    user: int | None = None


def places() -> list[Mount]:
    """Return every moment in every zone, and one place as another user."""
    plain = {"LANG": "C", "LC_ALL": "C"}
    found = [
        Mount(f"{moment}-{zone.rpartition('/')[2]}", MOMENTS[moment], {**plain, "TZ": zone})
        for moment, zone in product(MOMENTS, ZONES)
    ]
    return [*found, Mount("nobody", None, plain, NOBODY)]


def command(place: Mount, home: Path, options: list[str]) -> list[str]:
    """Return the command line that runs the tests at a place."""
    tests = () if any((ROOT / arg.partition("::")[0]).exists() for arg in options) else SUITES
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    line += ["-p", "tests.moments", "--basetemp", str(home / "tests"), *options, *tests]
    return [*as_user(place.user), *line]


def as_user(user: int | None) -> list[str]:
    """Return the beginning of a command line that runs it as another user, without any right."""
    if user is None:
        return []
    identity = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    return ["setpriv", *identity, "--inh-caps=-all", "--bounding-set=-all"]


def may_start(place: Mount) -> bool:
    """Tell whether this Python can be started there: one below somebody's home folder cannot."""
    # The first of them still has root's way through folders: what it starts has not.
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
    line = [*as_user(place.user), sys.executable, "-c", child]
    return subprocess.run(line, cwd=ROOT, stderr=subprocess.DEVNULL).returncode == 0


def moved_clock(moment: str, zone: str) -> dict[str, str]:
    """Return the environment in which a process's clock begins at a local time."""
    begins = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
    offset_s = begins.timestamp() - time.time()
    # What is waited for is measured by the monotonic clock, which nobody sets.
    return {
        "LD_PRELOAD": str(next(Path(libfaketime.__file__).parent.rglob("libfaketime.so.1"))),
        "FAKETIME": f"{offset_s:+.0f}s",
        "DONT_FAKE_MONOTONIC": "1",
        # Else it takes the waits of conditions for waits by the other clock, and they end at once:
        # each thread that wants the interpreter's lock kept a processor busy until it had it.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }


def forget_the_dead() -> None:
    """Remove what killed processes left of libfaketime: it ends another user's of the same number.

    It would be its own memory, which that user may not open.
    """
    for left in Path("/dev/shm").glob("*faketime_*_*"):
        if not Path("/proc", left.name.rpartition("_")[2]).exists():
            with suppress(OSError):  # another's
                left.unlink()


def run(place: Mount, options: list[str]) -> bool:
    """Run the tests at a place; True when all that can run there have passed."""
    print(f"== {place.name} ==", flush=True)
    if not may_start(place):
        print(f"{sys.executable} cannot be started there: be root, and make the environment of a")
        print("Python outside of home folders, in a folder that everybody may read")
        return False
    forget_the_dead()
    home = Path(tempfile.mkdtemp(prefix="inkling-place-"))
    try:
        if place.user is not None:
            os.chown(home, place.user, place.user)
        environment = {
            **{k: v for k, v in os.environ.items() if k not in _NOT_PASSED_ON},
            **place.environment,
            "HOME": str(home),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(home / "hypothesis"),
            # Hundreds of processes are started: each would compile all modules anew.
            "PYTHONPYCACHEPREFIX": str(home / "bytecode"),
            # PostgreSQL's package locks a file in the temporary folder, and root's is root's.
            **({} if place.user is None else {"TMPDIR": str(home)}),
            **(moved_clock(place.moment, place.environment["TZ"]) if place.moment else {}),
        }
        done = subprocess.run(command(place, home, options), cwd=ROOT, env=environment)
        return done.returncode == 0
    finally:
        shutil.rmtree(home, ignore_errors=True)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tell at once what failed: a place takes long, and may be stopped before its end."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\n-- failed: {report.nodeid}\n{report.longreprtext}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Run the places that were named, or all; 1 when a test failed at one of them."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    words, options = arguments[:cut], arguments[cut + 1 :]
    if words == ["--list"]:
        print("\n".join(place.name for place in places()))
        return 0
    chosen = [p for p in places() if not words or any(word in p.name for word in words)]
    failed = [place.name for place in chosen if not run(place, options)]
    print(f"{len(chosen) - len(failed)} of {len(chosen)} places passed", *failed)
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
