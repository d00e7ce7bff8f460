"""A studio that starts may have as many files open as the system lets it."""

import resource
import subprocess
import sys

import pytest

from tests.unit.test_house import ROOT

PROGRAM = (
    "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, {before}); import app; "
    "print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((256, 3_000), (3_000, 3_000)),
        ((256, 256), (256, 256)),
        ((1_024, 0), None),  # up to the system's own, whatever that is
    ],
)
def test_the_limit_is_raised_as_far_as_may_be(
    before: tuple[int, int], after: tuple[int, int] | None
) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    soft, wanted = before
    limits = (soft, wanted or hard)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=limits)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told = tuple(int(word) for word in done.stdout.split()[-2:])
    most = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    assert told == (after or (most, hard))
