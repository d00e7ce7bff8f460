"""The servers that are compared, each in a process of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.modules import ROOT
from tests.running_app import free_port

BENCH = ROOT / "bench"
PROXIES = ("node", "studio")
TARGETS = ("direct", *PROXIES)

Places = dict[str, tuple[int, int | None]]  # port and process of each target


@contextlib.contextmanager
def process(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of ours, and end it."""
    started = subprocess.Popen(command, **options)
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def wait_for(url: str, started: "subprocess.Popen[bytes]") -> None:
    """Return as soon as a program answers; exit when it does not."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if started.poll() is not None:
            raise SystemExit(f"{started.args!r} ended with {started.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


@contextlib.contextmanager
def targets(folder: Path) -> Iterator[Places]:
    """Start upstream, Node proxy and studio; yield port and process of each."""
    upstream, node, studio = free_port(), free_port(), free_port()
    url = f"http://127.0.0.1:{upstream}/chat/completions"
    environment = {
        **os.environ,
        "DEEPSEEK_API_URL": url,
        "DEEPSEEK_API_KEY": "sk-bench-0123456789abcdef",
        "DEEPSEEK_MODEL": "bench",
        "INKLING_DATA_DIR": str(folder),
        "PYTHONWARNINGS": "default",
    }
    streamlit = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    streamlit += ["--server.headless", "true", "--server.address", "127.0.0.1"]
    streamlit += ["--server.port", str(studio), "--server.enableAgentApi", "true"]
    with (
        (folder / "studio.log").open("wb") as log,
        process(["node", "--no-warnings", str(BENCH / "upstream.mjs"), str(upstream)]) as one,
        process(
            ["node", "--no-warnings", str(BENCH / "reference_proxy.mjs"), str(node), url]
        ) as two,
        process(streamlit, env=environment, stdout=log, stderr=log, cwd=ROOT) as three,
    ):
        wait_for(f"http://127.0.0.1:{upstream}/", one)
        wait_for(f"http://127.0.0.1:{node}/", two)
        wait_for(f"http://127.0.0.1:{studio}/readyz", three)
        yield {
            "direct": (upstream, None),
            "node": (node, two.pid),
            "studio": (studio, three.pid),
        }
