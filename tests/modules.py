"""Modules run in processes of their own, as by `python -m`: forked from one that imported all."""

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Protocol

ROOT = Path(__file__).parents[1]

# What an interpreter, or the loader, reads when it starts: a fork would not see it.
_AT_THE_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "GLIBC_", "SSLKEYLOGFILE", "STREAMLIT_")


class Process(Protocol):
    """What tests do with a process; `subprocess.Popen` is one."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


def start_module(
    module: str,
    *arguments: str,
    output: IO[bytes] | int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
    user: int | None = None,
    anew: bool = False,
) -> Process:
    """Start `python -m module` at the project's root; its stdout and stderr go to one place.

    `environment` replaces this process's. `user` is whom it runs as, which needs root. `anew` is
    for what asks which modules have been imported.
    """
    wanted = dict(os.environ if environment is None else environment)
    anew = anew or user is not None or _starts_otherwise(wanted)
    if anew or not sys.platform.startswith("linux"):
        command = [*_becoming(user), sys.executable, "-m", module, *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=wanted, stdout=output, stderr=output)
    with contextlib.ExitStack() as stack:
        if isinstance(output, int):
            output = stack.enter_context(Path(os.devnull).open("wb"))
        asked = {"module": module, "arguments": arguments, "environment": wanted}
        return _server().fork(json.dumps(asked).encode(), output.fileno())


def _starts_otherwise(wanted: Mapping[str, str]) -> bool:
    def at_the_start(environment: Mapping[str, str]) -> dict[str, str]:
        return {k: v for k, v in environment.items() if k.startswith(_AT_THE_START)}

    return at_the_start(wanted) != at_the_start(os.environ)


def _becoming(user: int | None) -> tuple[str, ...]:
    if user is None:
        return ()
    ids = (f"--reuid={user}", f"--regid={user}")
    return ("setpriv", *ids, "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")


class _Forked:
    """A process forked by the server; the connection says when it has ended."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        (self.pid,) = struct.unpack("i", connection.recv(4, socket.MSG_WAITALL))
        self.returncode: int | None = None
        self._reading = threading.Lock()

    def poll(self) -> int | None:
        """Return the return code once it has ended, -N when signal N ended it."""
        if self._reading.acquire(blocking=False):  # else another thread waits for the end
            try:
                self._read(0)
            finally:
                self._reading.release()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the return code when it has ended; raise TimeoutExpired if it has not by then."""
        with self._reading:
            self._read(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return self.returncode

    def _read(self, timeout: float | None) -> None:
        if self.returncode is None and select.select([self._connection], [], [], timeout)[0]:
            (self.returncode,) = struct.unpack("i", self._connection.recv(4, socket.MSG_WAITALL))
            self._connection.close()

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def kill(self) -> None:
        """End it as a crash would."""
        self.send_signal(signal.SIGKILL)

    def __del__(self) -> None:
        self._connection.close()


class _Server:
    """The client's side of tests/fork_server.py."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="inkling-forks-")
        self._address = str(Path(self._folder.name) / "socket")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fork_server", self._address],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def fork(self, asked: bytes, output: int) -> _Forked:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        connection.sendall(struct.pack("i", len(asked)))
        sent = socket.send_fds(connection, [asked], [output, output])
        connection.sendall(asked[sent:])
        return _Forked(connection)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        self._folder.cleanup()


_made: list[_Server] = []
_making = threading.Lock()


def _server() -> _Server:
    with _making:
        if not _made:
            _made.append(_Server())
            atexit.register(_made[0].close)
        return _made[0]
