"""The programs that stand beside each other, and how each of them is run."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.peering.environments import environment
from bench.peering.trouble import Trouble
from bench.proxies.targets import process
from tests.modules import ROOT
from tests.running_app import free_port

APPS = ROOT / "bench" / "peering" / "apps"
START_AT_MOST_S = 120.0
LOOK_EVERY_S = 0.005

# Nothing of whoever runs this may reach a program; bytecode is kept, as it is everywhere else.
_PROVIDERS = ("DEEPSEEK_", "VITE_DEEPSEEK", "KLING_", "ACCESS_KEY_", "SPEECH_", "TRANSCRIBE_")
_SETTINGS = ("DATABASE_URL", "INKLING_", "STREAMLIT_", "GRADIO_", "CHAINLIT_", "PYTHON")
_NOT_PASSED_ON = (*_PROVIDERS, *_SETTINGS)
# Nobody phones home.
_AT_HOME = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "TRACELOOP_TELEMETRY": "False",
    "OTEL_SDK_DISABLED": "true",
}

_HTTPX = f"httpx=={version('httpx')}"
_STREAMLIT = ("--server.headless=true", "--server.address=127.0.0.1")
_STREAMLIT_BOX = "[data-testid=stChatInputTextArea]"


@dataclass(frozen=True, slots=True)
class Program:
    """A program: what it needs, how it is started, where one types on its page.

    `{port}` and `{apps}`, the folder of the pages, stand in its command. Without requirements it is
    the studio, which runs in the environment of the bench.
    """

    name: str
    heading: str
    requirements: tuple[str, ...]
    command: tuple[str, ...]
    box: str


@dataclass(frozen=True, slots=True)
class Running:
    """A running program: where it is, its process, and how long it took to answer."""

    url: str
    process: "subprocess.Popen[bytes]"
    began_at: float  # Unix seconds
    answered_at: float


PROGRAMS = (
    Program(
        "studio",
        "studio",
        (),
        ("-m", "streamlit", "run", "app.py", *_STREAMLIT, "--server.port={port}"),
        _STREAMLIT_BOX,
    ),
    Program(
        "plain",
        f"plain Streamlit {version('streamlit')}",
        (f"streamlit=={version('streamlit')}", _HTTPX),
        # Without its watcher of files, and without a question for this machine's address.
        (
            *("-m", "streamlit", "run", "{apps}/plain_app.py", *_STREAMLIT, "--server.port={port}"),
            *("--server.fileWatcherType=none", "--browser.gatherUsageStats=false"),
            "--logger.hideWelcomeMessage=true",
        ),
        _STREAMLIT_BOX,
    ),
    Program(
        "gradio",
        "Gradio 6.31.0",
        ("gradio==6.31.0", _HTTPX),
        ("{apps}/gradio_app.py",),
        "textarea[data-testid=textbox]",
    ),
    Program(
        "chainlit",
        "Chainlit 2.12.0",
        ("chainlit==2.12.0", _HTTPX),
        (
            *("-m", "chainlit", "run", "{apps}/chainlit_app.py", "--headless"),
            *("--host", "127.0.0.1", "--port", "{port}"),
        ),
        "#chat-input",
    ),
)


def interpreter(program: Program, folder: Path) -> Path:
    """Return the Python that runs a program, with what it needs installed."""
    if not program.requirements:
        return Path(sys.executable)
    return environment(folder / program.name, program.requirements)


@contextmanager
def running(program: Program, python: Path, folder: Path, upstream: str) -> Iterator[Running]:
    """Run a program until the block ends; enter it at the first 200 of its front page."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [str(python), *(one.format(port=port, apps=APPS) for one in program.command)]
    log_file = folder / "log.txt"
    with log_file.open("wb") as log:
        began_at = time.time()
        with process(
            command,
            cwd=folder if program.requirements else ROOT,
            env=_environment(program, folder, port, upstream),
            stdout=log,
            stderr=log,
        ) as started:
            answered_at = _first_answer(port, started, log_file)
            yield Running(f"http://127.0.0.1:{port}", started, began_at, answered_at)


def _environment(program: Program, folder: Path, port: int, upstream: str) -> dict[str, str]:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_NOT_PASSED_ON) and not name.lower().endswith("_proxy")
    }
    if not program.requirements:
        own = {"DEEPSEEK_API_URL": upstream, "DEEPSEEK_API_KEY": "sk-0123456789abcdef"}
        return {**clean, **own, "INKLING_DATA_DIR": str(folder / "data")}
    own = {"PEERING_UPSTREAM": upstream, "PEERING_PORT": str(port), "PYTHONPATH": str(ROOT)}
    return {**clean, **_AT_HOME, **own, "CHAINLIT_APP_ROOT": str(folder)}


def _first_answer(port: int, started: "subprocess.Popen[bytes]", log: Path) -> float:
    deadline = time.monotonic() + START_AT_MOST_S
    while time.monotonic() < deadline:
        if started.poll() is not None:
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise Trouble(f"not started: {said[-1] if said else started.returncode}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/")
            if connection.getresponse().status == http.client.OK:
                return time.time()
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(LOOK_EVERY_S)
    raise Trouble(f"not started within {START_AT_MOST_S:.0f} s")
