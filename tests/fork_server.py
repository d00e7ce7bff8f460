"""A process that has imported what the studio imports, and forks it: five times as fast a start.

    python -m tests.fork_server SOCKET

The suite starts some hundred studios, and each would spend two seconds of a core on imports. A
client connects to the socket and sends what to run with the files to write to; it reads the pid,
and later, when that process has ended, its return code (see tests/modules.py). Ends with its stdin.
"""

import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import struct
import sys
import time
from importlib import import_module
from typing import Any

# What every studio imports before it does anything. app.py itself is not among it: it claims
# things for its process.
PRELOADED = (
    "streamlit.web.cli",
    "streamlit.web.bootstrap",
    "streamlit.web.server.starlette",
    "streamlit.runtime.scriptrunner",
    "uvicorn",
    "uvloop",
    "core.ui.start.configuration",
    "core.ui.frame.shell",
    "core.ui.start.welcome",
    "core.web.server",
    "core.web.studio_routes",
    "core.work.process_studio",
    "core.work.studio",
    "core.practice.server",  # which a studio itself imports once it needs it
    "tests.crash.workshop",
    "tests.upstream",
)
LONGEST_REQUEST = 1 << 20


def main() -> None:
    """Serve until stdin ends; return in the child, to run what was asked for."""
    for name in PRELOADED:
        import_module(name)
    gc.collect()
    gc.freeze()  # shared with the children as long as nobody writes to it
    asked = _serve(sys.argv[1])
    if asked is not None:
        _become(asked)


def _serve(address: str) -> dict[str, Any] | None:
    children: dict[int, socket.socket] = {}
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as selector:
        listener.bind(address)
        listener.listen(64)
        selector.register(listener, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(woken, 4096)
                _tell_of_the_dead(children)
            if listener.fileno() in ready:
                client, _ = listener.accept()
                asked = _asked(client)
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    for number in (signal.SIGCHLD, signal.SIGINT):
                        signal.signal(number, signal.SIG_DFL)
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                    for other in (*children.values(), client):
                        other.close()
                    os.close(woken)
                    os.close(wakes)
                    return asked
                for file in asked["files"]:
                    os.close(file)
                children[pid] = client
                client.sendall(struct.pack("i", pid))
            if sys.stdin.fileno() in ready:
                return None


def _asked(client: socket.socket) -> dict[str, Any]:
    (size,) = struct.unpack("i", client.recv(4, socket.MSG_WAITALL))
    head, files, _flags, _address = socket.recv_fds(client, size, 2)
    rest = client.recv(size - len(head), socket.MSG_WAITALL) if len(head) < size else b""
    asked: dict[str, Any] = json.loads(head + rest)
    return {**asked, "files": files}


def _tell_of_the_dead(children: dict[int, socket.socket]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with children.pop(pid) as client, contextlib.suppress(OSError):
            client.sendall(struct.pack("i", os.waitstatus_to_exitcode(status)))


def _become(asked: dict[str, Any]) -> None:
    """Run a module as `python -m` does."""
    output, errors = asked["files"]
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((nothing, output, errors)):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    sys.argv = [asked["module"], *asked["arguments"]]
    runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
