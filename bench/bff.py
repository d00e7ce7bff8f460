"""Time `GET /stream` of the studio beside a plain Node proxy and beside the upstream itself.

Run `python bench/bff.py` (needs node; `--quick` for a short look, `--full` for 10,000 chunks on 200
streams too). All rounds of a row are interleaved: direct, Node, direct, studio, direct …, and
ratios are the medians of what stood side by side. CPU is that of the proxy's own process, with
what it does behind the last byte. Added delay is from the upstream's write to the reader's read,
less the direct reader's median.
Everything stays on loopback; the reader is one Python process with plain sockets.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # it is run as a file

from bench.proxies.pages import measure_with_pages
from bench.proxies.processes import cpu_s, memory_mb
from bench.proxies.reader import run_round
from bench.proxies.rounds import Round, Row, quantile
from bench.proxies.targets import PROXIES, TARGETS, Places, targets

# What other measurements take from here.
__all__ = ["Row", "cpu_s", "memory_mb", "quantile", "run_round", "targets"]


def measure(row: Row, at: Places) -> dict[str, list[Round]]:
    """Run the rounds of a row on both proxies in turn, each behind one on the upstream itself.

    So both begin alike, with an upstream that has just worked and everything else at rest.
    """
    rounds: dict[str, list[Round]] = {target: [] for target in TARGETS}
    for _ in range(row.rounds):
        for proxy in PROXIES:
            for target in ("direct", proxy):
                port, pid = at[target]
                rounds[target].append(run_round(target, port, pid, row))
    return rounds


def report(row: Row, rounds: dict[str, list[Round]]) -> None:
    """Print the lines of one row."""
    floor = statistics.median(quantile(one.delays_us, 0.5) for one in rounds["direct"])
    for target in TARGETS:
        ran = rounds[target]
        wall = statistics.median(one.wall_s for one in ran)
        beside = ran[:: len(ran) // len(rounds["node"])]  # the upstream's come once for each proxy
        ratios = [a.wall_s / b.wall_s for a, b in zip(beside, rounds["node"], strict=True)]
        first = statistics.median(x * 1000 for one in ran for x in one.first_s)
        cpu = statistics.median(one.cpu_s / one.events * 1e5 for one in ran)
        peak = max(one.peak_mb for one in ran)
        added = ""
        if row.pause_ms:
            median = statistics.median(quantile(one.delays_us, 0.5) for one in ran)
            worst = statistics.median(quantile(one.delays_us, 0.99) for one in ran)
            added = f"{median - floor:>9.2f}{worst:>9.2f}"
        print(
            f"{row.name if target == 'direct' else '':<40}{target:<8}{wall:>8.3f}"
            f"{row.streams * row.in_a_row / wall:>9.1f}{statistics.median(ratios):>7.2f}{cpu:>8.2f}"
            f"{first:>9.1f}{peak:>8.0f}{added}"
        )


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--pages", action="store_true", help="the row with pages, whatever else")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    args = parser.parse_args()
    rows = [
        Row(1, 500, rounds=40),  # a few milliseconds each, and as uneven
        Row(1, 500, rounds=12, in_a_row=20),
        Row(1, 10_000, rounds=5),
        Row(20, 500, rounds=7),
        Row(20, 10_000),
        Row(20, 500, rounds=5, thinking=2_000),
        Row(200, 500, rounds=5),
        Row(200, 2_000),
        Row(300, 500, pause_ms=20, rounds=3),
    ]
    if args.full:
        rows.insert(-1, Row(200, 10_000, rounds=2))
    if args.quick:
        rows = [
            Row(1, 500, rounds=3),
            Row(20, 500, rounds=2),
            Row(200, 500, rounds=2),
            Row(300, 100, pause_ms=20, rounds=1),
        ]
    rows = [row for row in rows if args.only in row.name]
    with (
        tempfile.TemporaryDirectory(prefix="inkling-bench-") as folder,
        targets(Path(folder)) as at,
    ):
        pid = at["studio"][1]
        assert pid is not None
        time.sleep(5)  # what Streamlit imports for its first page is read in behind its start
        idle = memory_mb(pid, "VmRSS")
        print(f"idle studio {idle:.0f} MB; ratio is the wall time against Node's")
        print(
            f"{'streams × chunks':<40}{'':<8}{'wall s':>8}{'streams/s':>9}{'ratio':>7}"
            f"{'CPU s':>8}{'first ms':>9}{'MB':>8}{'added ms':>9}{'p99 ms':>9}"
        )
        run_round("studio", *at["studio"], Row(20, 100))  # warm
        run_round("node", *at["node"], Row(20, 100))
        for row in rows:
            report(row, measure(row, at))
        if args.pages or not (args.quick or args.only):
            measure_with_pages(at)


if __name__ == "__main__":
    main()
