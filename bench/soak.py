"""Mixed load by 50 people for half an hour: do memory, files and threads stay level?

    nice python -m bench.soak [--minutes 30] [--people 50]

A studio of its own, answered by practice: people stream and read, hang up and come back, ask
whole answers by /v1, make pictures, list models, scrape metrics, and one makes backups meanwhile.
Each minute one line of figures as /metrics tells them.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.modules import ROOT
from tests.running_app import RunningApp, running_app, wait_until_there

WARM_UP = 5  # minutes in which caches fill
SHOWN = {
    "MB": "process_resident_memory_bytes",
    "files": "process_open_fds",
    "threads": "inkling_threads",
    "running": "inkling_answers_running",
}


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
    text = httpx.get(f"{app.url}/metrics", timeout=60, trust_env=False).text
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name in SHOWN.values()
    }
    read = {short: found[name] for short, name in SHOWN.items()}
    return read | {"MB": read["MB"] / (1 << 20)}


def main() -> None:
    """Let them live, and print a line a minute and what rose."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--people", type=int, default=50)
    asked = parser.parse_args()
    if asked.minutes < WARM_UP + 2:
        parser.error(f"--minutes: at least {WARM_UP + 2}, of which the first {WARM_UP} warm up")
    lines: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="inkling-soak-") as name:
        data = Path(name) / "data"
        with running_app(data) as app:
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
                lines.append(figures(app))
                told = "".join(f"{lines[-1][short]:>10.0f}" for short in SHOWN)
                print(f"{minute:>6}{told}", flush=True)
                if minute % 10 == 0:
                    backup(data, Path(name) / "backups")
            people.over.set()
            for one in threads:
                one.join(60)
            print(dict(people.done))
            while figures(app)["running"]:
                time.sleep(0.2)
            print("at rest", {name: round(value) for name, value in figures(app).items()})
    kept = lines[WARM_UP:]
    half = len(kept) // 2
    for short in ("MB", "files", "threads"):
        early = statistics.mean(one[short] for one in kept[:half])
        late = statistics.mean(one[short] for one in kept[half:])
        print(f"{short}: {early:.0f} → {late:.0f} ({(late / early - 1) * 100:+.1f} %)")


def backup(data: Path, to: Path) -> None:
    """Make a backup beside the running studio."""
    line = [sys.executable, "-m", "core.admin", "--language", "en", "backup", "--to", str(to)]
    environment = {"INKLING_DATA_DIR": str(data), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)
    print(ran.stdout.strip() or ran.stderr.strip(), flush=True)


if __name__ == "__main__":
    main()
