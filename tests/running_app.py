"""The studio as people run it: `streamlit run app.py` in a process of its own."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.modules import Process, start_module

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
_CHANCE = random.SystemRandom()  # another one in each of the workers

# Nothing of the developer's own configuration may reach a test.
_OWN = ("SPEECH_", "TRANSCRIBE_", "DATABASE_URL", "INKLING_")
_CONFIGURATION = ("DEEPSEEK_", "VITE_DEEPSEEK", "KLING_", "ACCESS_KEY_", *_OWN)


@dataclass
class RunningApp:
    """A running server: where it is, what it logged, and how to end it."""

    url: str
    data_dir: Path
    log: Path
    process: Process

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(STOP_TIMEOUT_S)

    def stop(self) -> None:
        """End it as Ctrl-C would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(STOP_TIMEOUT_S)


@contextlib.contextmanager
def running_app(
    data_dir: Path,
    environment: Mapping[str, str] | None = None,
    *,
    address: str = "127.0.0.1",
    port: int | None = None,
    secrets: Path | None = None,
    script: Path | None = None,
    user: int | None = None,
) -> Iterator[RunningApp]:
    """Run the app on a free port with a data folder of its own, until the block ends.

    `script` is run in place of app.py, by a host that knows nothing of the routes.
    `user` is whom the studio runs as, if not as the tests do; becoming somebody else needs root.
    """
    port = port or free_port()
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(_CONFIGURATION)
    }
    log = data_dir.parent / f"{data_dir.name}-{port}.log"
    with log.open("wb") as output:
        process = start_module(
            *("streamlit", "run", str(script or "app.py")),
            *("--server.headless", "true", "--server.address", address),
            *("--server.port", str(port)),
            *(("--secrets.files", str(secrets)) if secrets else ()),
            environment={**clean, "INKLING_DATA_DIR": str(data_dir), **(environment or {})},
            output=output,
            user=user,
            anew=script is not None,
        )
    app = RunningApp(f"http://127.0.0.1:{port}", data_dir, log, process)
    try:
        wait_until_there(f"{app.url}/{'_stcore/health' if script else 'healthz'}", app)
        yield app
    finally:
        try:
            app.stop()
        except subprocess.TimeoutExpired:
            app.kill()
            raise


def free_port() -> int:
    """Return a port on which nobody listens, none of those that the system lends by itself.

    One of those may belong to another test's connection before it is listened on, or while a studio
    is begun again.
    """
    for _ in range(1_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", _CHANCE.randrange(12_000, _lent_from())))
            return int(probe.getsockname()[1])
    raise AssertionError("no port is free")


def _lent_from() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:  # elsewhere than on Linux
        return 32_768


def wait_until_there(
    address: str, app: RunningApp | None = None, *, patience_s: float = START_TIMEOUT_S
) -> None:
    """Return as soon as something answers at an address; fail when `app` ends before it does."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            log = app.log.read_text() if app else ""
            assert app is None or app.process.poll() is None, log
            assert time.monotonic() < deadline, f"nothing answers at {address}\n{log}"
            time.sleep(0.1)
