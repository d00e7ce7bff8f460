"""Measure streaming answers in a real browser, and print one table for each question.

    python -m bench.page                 everything, a quarter of an hour
    python -m bench.page wire stop       only these: wire, first, stop, reload, crowd, kill, voice
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

SIZES = [5_000, 28_000, 50_000]
CROWDS = [1, 10, 50]


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", help="wire first stop reload crowd kill voice")
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
    with tempfile.TemporaryDirectory(prefix="inkling-bench-") as temporary:
        for name in asked.parts or parts:
            folder = Path(temporary) / name
            folder.mkdir()
            print(parts[name](folder), flush=True)


if __name__ == "__main__":
    main()
