"""Measure streaming answers in a real browser, and print one table for each question.

    python -m bench.page                 everything, a quarter of an hour
    python -m bench.page wire stop       only these: wire, first, stop, reload, crowd, kill, voice
    python -m bench.page thousand        a thousand open pages, fifty of which ask; not among all
    python -m bench.page --quick         smaller numbers of everything

Ratios are taken within one run: the upstream read directly and a plain `st.write_stream` page stand
beside the studio. Needs Chromium and what requirements-dev.txt lists.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.browser import (
    concurrent_sessions,
    first_character,
    hearing,
    killing,
    reloading,
    stopping,
    wire,
)
from bench.browser.concurrent_sessions import Crowd

SIZES = [5_000, 28_000, 50_000]
CROWDS = [Crowd(1, 1), Crowd(10, 10), Crowd(50, 50)]
THOUSAND = [Crowd(100, 50), Crowd(1_000, 50)]


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument(
        "parts", nargs="*", help="wire first stop reload crowd kill voice, or thousand"
    )
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    sizes = SIZES[:1] if asked.quick else SIZES
    crowds = CROWDS[:2] if asked.quick else CROWDS
    parts: dict[str, Callable[[Path], str]] = {
        "wire": lambda folder: wire.report(folder, sizes),
        "first": first_character.report,
        "stop": stopping.report,
        "reload": reloading.report,
        "crowd": lambda folder: concurrent_sessions.report(folder, crowds),
        "kill": killing.report,
        "voice": hearing.report,
    }
    by_itself: dict[str, Callable[[Path], str]] = {
        "thousand": lambda folder: concurrent_sessions.report(folder, THOUSAND),
    }
    with tempfile.TemporaryDirectory(prefix="inkling-bench-") as temporary:
        for name in asked.parts or parts:
            folder = Path(temporary) / name
            folder.mkdir()
            print({**parts, **by_itself}[name](folder), flush=True)


if __name__ == "__main__":
    main()
