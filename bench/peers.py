"""Measure the studio beside its peers, in turn within one run, and print one table.

    python -m bench.peers                        everything
    python -m bench.peers --quick                few repeats
    python -m bench.peers --only studio,plain    only these: studio, plain, gradio, chainlit

Each program shows a chat page that streams the same answer of the same upstream on loopback, which
begins to answer at once. The peers are installed into environments of their own, below `--folder`,
where the next run finds them. Needs Chromium and what requirements-dev.txt lists, and at the first
run a package index.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.peering.pages import browsing
from bench.peering.programs import PROGRAMS, Program, interpreter
from bench.peering.questions import answer_question
from bench.peering.rounds import Bench, Place
from bench.peering.table import Column, table
from bench.peering.trouble import Trouble
from tests.upstream import Upstream

# Starts of each program, conversations in each, runs at rest, seconds of an idle page.
FULL = (5, 3, 2, 60.0)
QUICK = (2, 1, 1, 15.0)


class Run:
    """All programs in turn: one that has failed is left out from then on, and says why."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self._programs = programs
        self._places: dict[str, Place] = {}
        self._troubles: dict[str, str] = {}
        self._turn = 0

    def install(self, folder: Path, data: Path) -> None:
        """Make the environments that are not there yet."""
        for program in self._programs:
            _tell(f"{program.heading}: environment")
            try:
                python = interpreter(program, folder)
                self._places[program.name] = Place(program, python, data / program.name)
            except Trouble as trouble:
                self._troubles[program.name] = str(trouble)

    def each(self, what: str, measure: Callable[[Place], None]) -> None:
        """Measure each program once, beginning with another one each time."""
        first = self._turn % len(self._programs)
        self._turn += 1
        for program in (*self._programs[first:], *self._programs[:first]):
            if program.name in self._troubles:
                continue
            _tell(f"{program.heading}: {what}")
            try:
                measure(self._places[program.name])
            except Trouble as trouble:
                self._troubles[program.name] = str(trouble)
                _tell(f"{program.heading}: {trouble}")

    def columns(self) -> list[Column]:
        """Return what was measured."""
        return [
            Column(
                program.name,
                program.heading,
                place.figures if (place := self._places.get(program.name)) else {},
                self._troubles.get(program.name, ""),
            )
            for program in self._programs
        ]


def _tell(what: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {what}", file=sys.stderr, flush=True)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="few repeats")
    parser.add_argument("--only", default="", help="names of programs, with commas between them")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "inkling-peers",
        help="where the peers' environments are kept",
    )
    told = parser.parse_args()
    wanted = told.only.split(",") if told.only else [one.name for one in PROGRAMS]
    programs = [one for one in PROGRAMS if one.name in wanted]
    if len(programs) != len(wanted):
        parser.error(f"--only knows {', '.join(one.name for one in PROGRAMS)}")
    run, began = Run(programs), time.monotonic()
    with contextlib.suppress(KeyboardInterrupt):  # then with what there is
        _measure(run, told.folder.resolve(), QUICK if told.quick else FULL)
    minutes = (time.monotonic() - began) / 60
    print(
        table(f"Beside peers, {datetime.now(UTC):%Y-%m-%d}, {minutes:.0f} minutes", run.columns())
    )


def _measure(run: Run, folder: Path, repeats: tuple[int, int, int, float]) -> None:
    starts, conversations, rests, idle_s = repeats
    with (
        tempfile.TemporaryDirectory(prefix="inkling-bench-") as data,
        Upstream(answer_question) as upstream,
    ):
        run.install(folder, Path(data))
        with browsing() as browser:
            bench = Bench(browser, upstream)
            run.each("once unmeasured", bench.warm)
            for number in range(starts):
                at = f"start {number + 1} of {starts}"
                run.each(at, lambda place: bench.measure_start(place, conversations))
            for number in range(rests):
                at = f"rest {number + 1} of {rests}"
                run.each(at, lambda place: bench.measure_rest(place, idle_s))


if __name__ == "__main__":
    main()
