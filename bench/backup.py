"""A backup while 50 streams and 20 tasks run, restored elsewhere and verified; three times over.

python -m bench.backup [--streams 50] [--tasks 20] [--rounds 3]
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

from bench.soak import figures, stream
from tests.modules import ROOT
from tests.running_app import running_app, wait_until_there


def admin(data: Path, *arguments: str) -> float:
    """Run an admin command, print what it says, and return how long it took; it must end with 0."""
    begun = time.monotonic()
    line = [sys.executable, "-m", "core.admin", "--language", "en", *arguments]
    environment = os.environ | {"INKLING_DATA_DIR": str(data)}
    ran = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)
    print("  " + (ran.stdout + ran.stderr).strip().replace("\n", "\n  "))
    assert ran.returncode == 0, arguments
    return time.monotonic() - begun


def main() -> None:
    """Load a studio, back it up, restore it elsewhere, and verify."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    over = threading.Event()
    with tempfile.TemporaryDirectory(prefix="inkling-backup-") as name:
        folder = Path(name)
        with running_app(folder / "data") as app:
            wait_until_there(f"{app.url}/readyz", app)

            def read(number: int) -> None:
                chance = random.Random(number)
                with httpx.Client(base_url=app.url, timeout=60, trust_env=False) as http:
                    while not over.is_set():
                        stream(http, chance)

            def paint(number: int) -> None:
                with httpx.Client(base_url=app.url, timeout=60, trust_env=False) as http:
                    while not over.is_set():
                        body = {"prompt": f"hill {number}", "n": 1}
                        http.post("/v1/images/generations", json=body)

            threads = [threading.Thread(target=read, args=(n,)) for n in range(asked.streams)]
            threads += [threading.Thread(target=paint, args=(n,)) for n in range(asked.tasks)]
            for one in threads:
                one.start()
            while figures(app)["running"] < asked.streams:  # all of them grow
                time.sleep(0.2)
            for number in range(asked.rounds):
                print(f"round {number}: {figures(app)['running']:.0f} answers grow")
                took = admin(folder / "data", "backup", "--to", str(folder / f"backups-{number}"))
                (made,) = (folder / f"backups-{number}").iterdir()
                back = admin(folder / f"other-{number}", "restore", str(made))
                print(f"  backup {took:.1f} s, restore and verify {back:.1f} s")
            over.set()
            for one in threads:
                one.join()


if __name__ == "__main__":
    main()
