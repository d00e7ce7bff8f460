"""Prints the crash table: `python -m tests.crash.table --runs 624`.

Every fault at Kling's side meets every death on ours at least once in 624 runs; fewer runs take an
even spread of the pairs.
"""

import argparse
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from tests.crash.kinds import PICTURE_KINDS
from tests.crash.runs import DEATHS, FAULTS, Outcome, run


def pairs(count: int) -> list[tuple[str, str]]:
    """Return `count` pairs of fault and death, spread evenly over all of them."""
    faults, deaths = list(FAULTS), list(DEATHS)
    every = [
        (fault, deaths[(place + shift) % len(deaths)])
        for shift in range(len(deaths))
        for place, fault in enumerate(faults)
    ]
    return [every[number % len(every)] for number in range(count)]


def main() -> int:
    """Run, print, and return 1 when anything was lost, stuck or bought twice."""
    parser = argparse.ArgumentParser(description="Kill the app at every step under every fault.")
    parser.add_argument("--runs", type=int, default=208)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default="image", help="of pictures, or all")
    asked = parser.parse_args()
    kinds = PICTURE_KINDS if asked.kinds == "all" else tuple(asked.kinds.split(","))
    started = time.monotonic()
    with ThreadPoolExecutor(asked.at_once) as pool:
        runs = [
            pool.submit(run, fault, death, asked.seed * 10_000 + number, kinds)
            for number, (fault, death) in enumerate(pairs(asked.runs))
        ]
        outcomes = [each.result() for each in runs]
    _print(outcomes, "fault", "at Kling")
    _print(outcomes, "death", "killed")
    bad = [outcome for outcome in outcomes if outcome.problems]
    for outcome in bad:
        _say(f"\n{outcome.fault} / {outcome.death}: " + "\n  ".join(outcome.problems))
    minutes = (time.monotonic() - started) / 60
    _say(f"\n{len(outcomes)} runs in {minutes:.1f} min, {len(bad)} with a problem")
    return 1 if bad else 0


def _print(outcomes: list[Outcome], by: str, title: str) -> None:
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[getattr(outcome, by)].append(outcome)
    groups["all"] = outcomes
    columns = ("runs", "kills", "intents", "posts", "accepted", "pictures", "problems", "median s")
    _say(f"\n{title:32}" + "".join(f"{column:>10}" for column in columns))
    for name, group in groups.items():
        times = sorted(outcome.seconds for outcome in group)
        figures = (
            len(group),
            sum(outcome.deaths for outcome in group),
            sum(outcome.intents for outcome in group),
            sum(outcome.posts for outcome in group),
            sum(outcome.accepted for outcome in group),
            sum(outcome.pictures for outcome in group),
            sum(bool(outcome.problems) for outcome in group),
        )
        _say(
            f"{name:32}"
            + "".join(f"{figure:>10}" for figure in figures)
            + f"{times[len(times) // 2]:>10.1f}"
        )


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")


if __name__ == "__main__":
    sys.exit(main())
