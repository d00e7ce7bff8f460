"""The servers a benchmark looks at: the app, and a plain page beside it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.modules import ROOT
from tests.running_app import RunningApp, free_port, running_app, wait_until_there
from tests.upstream import Upstream

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@contextmanager
def studio(folder: Path, upstream: Upstream, *, port: int | None = None) -> Iterator[RunningApp]:
    """Run the app with the upstream as its DeepSeek."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"DEEPSEEK_API_URL": upstream.url, "DEEPSEEK_API_KEY": "sk-0123456789abcdef"}
    with running_app(folder / "data", settings, port=port) as app:
        yield app


@contextmanager
def plain(folder: Path, upstream: Upstream) -> Iterator[RunningApp]:
    """Run the plain page on the same upstream."""
    port = free_port()
    log = folder / f"plain-{port}.log"
    command = [sys.executable, "-m", "streamlit", "run", "bench/browser/plain_app.py"]
    command += ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PLAIN_UPSTREAM": upstream.url},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    app = RunningApp(f"http://127.0.0.1:{port}", folder, log, process)
    try:
        wait_until_there(f"{app.url}/_stcore/health", app)
        yield app
    finally:
        app.kill()


def worked_s(app: RunningApp) -> float:
    """Return the processor seconds the server has used so far."""
    fields = Path(f"/proc/{app.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def memory_mb(app: RunningApp) -> float:
    """Return the memory the server has in use."""
    for line in Path(f"/proc/{app.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
