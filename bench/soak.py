"""Mixed load by 50 people for half an hour: do memory, files and threads stay level?

    nice python -m bench.soak [--minutes 30] [--people 50] [--xray on|off] [--apart]

A studio of its own, answered by practice: people stream and read, hang up and come back, ask
whole answers by /v1, make pictures, list models, scrape metrics, and one makes backups meanwhile.
With `--apart` the practice providers are a process of their own, so that the figures are the
studio's alone; with `--xray off` it keeps no exchanges. Each minute one line of what the system
says of the studio's process, and in the end how steep the second half was.
"""

import argparse
import contextlib
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from core.practice.settings import PRACTICE_CHAT_KEY, PRACTICE_KLING_API_KEY
from tests.modules import ROOT, start_module
from tests.running_app import RunningApp, free_port, running_app, wait_until_there

WARM_UP = 5  # minutes in which caches fill, or a quarter of fewer
SHOWN = ("RSS MB", "PSS MB", "files", "threads")


class People:
    """Everyone's habits, and what came of them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.over = threading.Event()
        self.done: Counter[str] = Counter()
        self._lock = threading.Lock()

    def live(self, number: int) -> None:
        """Be one person, until it is over."""
        chance = random.Random(number)
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as http:
            while not self.over.is_set():
                habit = chance.choice(HABITS)
                try:
                    habit(http, chance)
                    told = habit.__name__
                except httpx.HTTPError as error:
                    told = f"{habit.__name__}: {type(error).__name__}"
                with self._lock:
                    self.done[told] += 1
                self.over.wait(chance.uniform(1.0, 6.0))


def stream(http: httpx.Client, chance: random.Random) -> None:
    """Read a stream to its end, or hang up and come back for the rest."""
    leaves = chance.random() < 0.4
    last = ""
    with http.stream("GET", "/stream", params={"question": f"tell {chance.random()}"}) as reply:
        for number, line in enumerate(reply.iter_lines()):
            last = line.removeprefix("id: ") if line.startswith("id: ") else last
            if leaves and number > 12:
                break
    if leaves and last and chance.random() < 0.7:
        with http.stream("GET", "/stream", headers={"Last-Event-ID": last}) as reply:
            for _ in reply.iter_lines():
                pass


def whole(http: httpx.Client, chance: random.Random) -> None:
    """Ask for a whole answer in OpenAI's shape."""
    message = {"role": "user", "content": f"hello {chance.random()}"}
    http.post("/v1/chat/completions", json={"model": "deepseek-flash", "messages": [message]})


def picture(http: httpx.Client, chance: random.Random) -> None:
    """Have a picture made."""
    body = {"prompt": f"a hill {chance.random()}", "model": "kling-v2-1", "n": 1}
    http.post("/v1/images/generations", json=body)


def look(http: httpx.Client, chance: random.Random) -> None:
    """Look at what is there, as programs do."""
    http.get(chance.choice(["/v1/models", "/ledger", "/readyz", "/openapi.json", "/", "/nothing"]))


HABITS = (stream, stream, stream, whole, whole, picture, look, look)


def figures(app: RunningApp) -> dict[str, float]:
    """Return what the studio's metrics say of itself."""
    names = {"MB": "process_resident_memory_bytes", "running": "inkling_answers_running"}
    text = httpx.get(f"{app.url}/metrics", timeout=60, trust_env=False).text
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name in names.values()
    }
    read = {short: found[name] for short, name in names.items()}
    return read | {"MB": read["MB"] / (1 << 20)}


def of_process(pid: int) -> dict[str, float]:
    """Return what the system says of one process: nothing of its children."""
    proc = Path("/proc") / str(pid)
    rollup = (proc / "smaps_rollup").read_text()
    kilobytes = {
        name: int(words.split()[0])
        for name, _, words in (line.partition(":") for line in rollup.splitlines()[1:])
    }
    (threads,) = [
        int(line.split()[1])
        for line in (proc / "status").read_text().splitlines()
        if line.startswith("Threads:")
    ]
    return {
        "RSS MB": kilobytes["Rss"] / 1024,
        "PSS MB": kilobytes["Pss"] / 1024,
        "files": len(list((proc / "fd").iterdir())),
        "threads": threads,
    }


@contextmanager
def practice_apart(folder: Path) -> Iterator[dict[str, str]]:
    """Run the practice providers in a process of their own; yield what the studio needs to know."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    with (folder / "practice.log").open("wb") as output:
        process = start_module(
            *("core.practice", "--port", str(port), "--journal", str(folder / "practice.jsonl")),
            environment={"PATH": "/usr/bin:/bin"},
            output=output,
        )
    try:
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{origin}/practice/counters", trust_env=False)
                break
            assert process.poll() is None, (folder / "practice.log").read_text()
            time.sleep(0.1)
        yield {
            "DEEPSEEK_API_URL": f"{origin}/chat/completions",
            "DEEPSEEK_API_KEY": PRACTICE_CHAT_KEY,
            "KLING_API_ORIGIN": origin,
            "KLING_API_KEY": PRACTICE_KLING_API_KEY,
        }
    finally:
        process.kill()
        process.wait(20)


def main() -> None:
    """Let them live, and print a line a minute and what rose."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--xray", choices=("on", "off"), default="on")
    parser.add_argument("--apart", action="store_true", help="practice in a process of its own")
    asked = parser.parse_args()
    warm_up = min(WARM_UP, asked.minutes // 4)
    if asked.minutes - warm_up < 2:
        parser.error("--minutes: at least 3")
    lines: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="inkling-soak-") as name, ExitStack() as stack:
        folder, data = Path(name), Path(name) / "data"
        environment = {"INKLING_XRAY": asked.xray}
        if asked.apart:
            environment |= stack.enter_context(practice_apart(folder))
        app = stack.enter_context(running_app(data, environment))
        wait_until_there(f"{app.url}/readyz", app)
        people = People(app.url)
        threads = [
            threading.Thread(target=people.live, args=(number,), daemon=True)
            for number in range(asked.people)
        ]
        for one in threads:
            one.start()
        print("minute" + "".join(f"{short:>10}" for short in SHOWN), flush=True)
        for minute in range(1, asked.minutes + 1):
            time.sleep(60)
            lines.append(of_process(app.process.pid))
            print(f"{minute:>6}{_row(lines[-1])}", flush=True)
            figures(app)  # as whoever watches it does
            if minute % 10 == 0:
                backup(data, folder / "backups")
        people.over.set()
        for one in threads:
            one.join(60)
        print(dict(people.done))
        while figures(app)["running"]:
            time.sleep(0.2)
        print(f"at rest{_row(of_process(app.process.pid))}")
    kept = lines[warm_up:]
    half = len(kept) // 2
    for short in SHOWN:
        early, late = ([one[short] for one in some] for some in (kept[:half], kept[half:]))
        means = statistics.mean(early), statistics.mean(late)
        rose = f"{means[0]:.1f} → {means[1]:.1f} ({(means[1] / means[0] - 1) * 100:+.1f} %)"
        print(f"{short}: {rose}; second half {_slope(late) * 60:+.1f} an hour")


def _row(line: dict[str, float]) -> str:
    return "".join(f"{line[short]:>10.1f}" for short in SHOWN)


def _slope(values: list[float]) -> float:
    """Return by how much they rise from one to the next, by least squares."""
    if len(values) < 2:
        return 0.0
    return statistics.linear_regression(range(len(values)), values).slope


def backup(data: Path, to: Path) -> None:
    """Make a backup beside the running studio."""
    line = [sys.executable, "-m", "core.admin", "--language", "en", "backup", "--to", str(to)]
    environment = {"INKLING_DATA_DIR": str(data), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)
    print(ran.stdout.strip() or ran.stderr.strip(), flush=True)


if __name__ == "__main__":
    main()
