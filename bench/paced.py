"""Time 300 paced streams: Node, the least proxy that Python can be, and the studio, in turn.

Run `python -m bench.paced` (needs node). Processor time in µs an event, by thread and by who spends
it, program or kernel.
"""

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from bench.bff import Row, quantile, run_round, targets
from bench.proxies.processes import TICKS
from bench.proxies.targets import BENCH, process, wait_for
from tests.running_app import free_port

ROUNDS = 3
ROW = Row(300, 200, pause_ms=20)
_WARM = Row(50, 100)
_TICK_US = 1e6 / TICKS
LEAST_US = 0.5  # of a thread, to be told of


def threads_of(pid: int) -> dict[str, tuple[int, int]]:
    """Return each thread's ticks of the processor, its program's and the kernel's."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has ended
            fields = (task / "stat").read_text().rpartition(") ")[2].split()
            found[task.name] = (int(fields[11]), int(fields[12]))
    return found


def measure(name: str, port: int, pid: int) -> None:
    """Run the row once on one proxy, and print what it took."""
    before = threads_of(pid)
    ran = run_round(name, port, pid, ROW)
    spent = []
    for thread, (user, kernel) in threads_of(pid).items():
        had = before.get(thread, (0, 0))
        per_event = _TICK_US / ran.events
        spent.append(((user - had[0]) * per_event, (kernel - had[1]) * per_event))
    spent.sort(reverse=True)
    told = " + ".join(f"{user:.1f}/{kernel:.1f}" for user, kernel in spent if user >= LEAST_US)
    print(
        f"{name:>7} {ran.cpu_s / ran.events * 1e6:>6.1f} {quantile(ran.delays_us, 0.5):>8.2f}"
        f"{quantile(ran.delays_us, 0.99):>8.1f}   {told}"
    )


def main() -> None:
    """Run all rounds."""
    least = free_port()
    with tempfile.TemporaryDirectory() as folder, targets(Path(folder)) as at:
        url = f"http://127.0.0.1:{at['direct'][0]}/chat/completions"
        command = [sys.executable, str(BENCH / "least_proxy.py"), str(least), url]
        with process(command) as proxy:
            wait_for(f"http://127.0.0.1:{least}/", proxy)
            places = {"node": at["node"], "least": (least, proxy.pid), "studio": at["studio"]}
            print("          µs   p50 ms  p99 ms   by thread: program / kernel")
            for name, (port, pid) in places.items():
                assert pid is not None
                run_round(name, port, pid, _WARM)
            for _ in range(ROUNDS):
                for name, (port, pid) in places.items():
                    measure(name, port, pid or 0)


if __name__ == "__main__":
    main()
