"""Time `GET /stream` of the studio beside a plain Node proxy and beside the upstream itself.

Run `python bench/bff.py` (needs node; `--quick` for a short look, `--full` for 10,000 chunks on 200
streams too). All rounds of a row are interleaved: direct, Node, studio, direct, Node, studio …, and
ratios are the medians of what stood side by side. CPU is that of the proxy's own process. Added
delay is from the upstream's write to the reader's read, less the direct reader's median.
Everything stays on loopback; the reader is one Python process with plain sockets.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

try:  # the reader must not be what is measured
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
STAMP = re.compile("词(\\d+)".encode())
TICKS = os.sysconf("SC_CLK_TCK")
TARGETS = ("direct", "node", "studio")


@dataclass(frozen=True)
class Row:
    """So many streams at once, of so many chunks, at that pace."""

    streams: int
    chunks: int
    pause_ms: int = 0
    rounds: int = 3

    @property
    def name(self) -> str:
        pace = f"every {self.pause_ms} ms" if self.pause_ms else "full speed"
        return f"{self.streams} × {self.chunks}, {pace}"


@dataclass
class Round:
    """What one run over one target showed."""

    wall_s: float = 0.0
    first_s: list[float] = field(default_factory=list)
    delays_us: list[int] = field(default_factory=list)
    events: int = 0
    cpu_s: float = 0.0
    peak_mb: float = 0.0


class Reader(asyncio.Protocol):
    """Sends one request and counts what comes back."""

    def __init__(self, request: bytes, total: Round, done: "asyncio.Future[None]") -> None:
        self._request = request
        self._total = total
        self._done = done
        self._rest = b""
        self._head = b""
        self._began = 0.0
        self._has_first = False

    def connection_made(self, transport: Any) -> None:
        self._began = time.monotonic()
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now_us = time.monotonic_ns() // 1000
        self._head = self._head or data[:400]
        data = self._rest + data
        at = data.rfind(b"\n\n") + 1
        data, self._rest = data[:at], data[at:]  # half an event comes whole with the next read
        stamps = STAMP.findall(data)
        if stamps and not self._has_first:
            self._has_first = True
            self._total.first_s.append(time.monotonic() - self._began)
        self._total.events += len(stamps)
        self._total.delays_us += [now_us - int(stamp) for stamp in stamps]
        if b"[DONE]" in data and not self._done.done():
            self._done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            told = self._head.decode("utf-8", "replace")
            self._done.set_exception(ConnectionError(f"closed before the end: {told!r} {error}"))


def request_to(target: str, port: int, row: Row) -> bytes:
    """Return the raw request for one stream."""
    asked = json.dumps({"chunks": row.chunks, "pause_ms": row.pause_ms})
    if target == "direct":
        message = {"role": "user", "content": asked}
        body = json.dumps({"model": "bench", "messages": [message], "stream": True})
        return (
            f"POST /chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
    return (
        f"GET /stream?question={quote(asked)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    ).encode()


async def read_streams(target: str, port: int, row: Row) -> Round:
    """Run all streams of a row at once."""
    total = Round()
    loop = asyncio.get_running_loop()
    request = request_to(target, port, row)
    began = time.monotonic()

    async def one() -> None:
        done: asyncio.Future[None] = loop.create_future()
        transport, _ = await loop.create_connection(
            lambda: Reader(request, total, done), "127.0.0.1", port
        )
        try:
            await done
        finally:
            transport.close()

    async with asyncio.timeout(90):
        await asyncio.gather(*(one() for _ in range(row.streams)))
    total.wall_s = time.monotonic() - began
    if total.events != row.streams * row.chunks:
        raise SystemExit(f"{target}: {total.events} of {row.streams * row.chunks} events")
    return total


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def forget_peak(pid: int) -> None:
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def run_round(target: str, port: int, pid: int | None, row: Row) -> Round:
    """Measure one target once."""
    before = cpu_s(pid) if pid else 0.0
    if pid:
        forget_peak(pid)
    total = new_loop_run(read_streams(target, port, row))
    if pid:
        total.cpu_s = cpu_s(pid) - before
        total.peak_mb = memory_mb(pid, "VmHWM")
    return total


def new_loop_run(coroutine: Coroutine[Any, Any, Round]) -> Round:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(coroutine)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def process(command: list[str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of ours, and end it."""
    started = subprocess.Popen(command, **options)  # type: ignore[call-overload]
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
def targets(folder: Path) -> Iterator[dict[str, tuple[int, int | None]]]:
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
    log = (folder / "studio.log").open("wb")
    with (
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


def quantile(values: list[int], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000


def measure(row: Row, at: dict[str, tuple[int, int | None]]) -> dict[str, list[Round]]:
    rounds: dict[str, list[Round]] = {target: [] for target in TARGETS}
    for _ in range(row.rounds):
        for target in TARGETS:
            port, pid = at[target]
            rounds[target].append(run_round(target, port, pid, row))
    return rounds


def report(row: Row, rounds: dict[str, list[Round]]) -> None:
    floor = statistics.median(quantile(one.delays_us, 0.5) for one in rounds["direct"])
    for target in TARGETS:
        ran = rounds[target]
        wall = statistics.median(one.wall_s for one in ran)
        ratios = [one.wall_s / other.wall_s for one, other in zip(ran, rounds["node"], strict=True)]
        first = statistics.median(x * 1000 for one in ran for x in one.first_s)
        cpu = statistics.median(one.cpu_s / one.events * 1e5 for one in ran)
        peak = max(one.peak_mb for one in ran)
        added = ""
        if row.pause_ms:
            median = statistics.median(quantile(one.delays_us, 0.5) for one in ran)
            worst = statistics.median(quantile(one.delays_us, 0.99) for one in ran)
            added = f"{median - floor:>9.2f}{worst:>9.2f}"
        print(
            f"{row.name if target == 'direct' else '':<28}{target:<8}{wall:>8.3f}"
            f"{row.streams / wall:>9.1f}{statistics.median(ratios):>7.2f}{cpu:>8.2f}"
            f"{first:>9.1f}{peak:>8.0f}{added}"
        )


PAGES = 20


class Visitor:
    """A page of the app, without a browser: Streamlit's agent API runs its script all the same."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/_stcore/agent/interact"
        seen = self._post({})
        self._session = seen["session_id"]
        self._input = next(one["key"] for one in seen["actions"] if one["type"] == "chat_input")

    def ask(self, row: Row) -> float:
        """Ask on the page; return how long it took until the page stood still."""
        asked = json.dumps({"chunks": row.chunks, "pause_ms": row.pause_ms})
        began = time.monotonic()
        seen = self._post(
            {"session_id": self._session, "trigger": {"key": self._input, "value": asked}}
        )
        while seen.get("status") != "ready":
            seen = self._post({"session_id": self._session})
        return time.monotonic() - began

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            self._url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=90) as reply:
            answer: dict[str, Any] = json.load(reply)
            return answer


def ask_all(visitors: list[Visitor], row: Row) -> list[float]:
    with ThreadPoolExecutor(len(visitors)) as pool:
        return list(pool.map(lambda visitor: visitor.ask(row), visitors))


def measure_with_pages(at: dict[str, tuple[int, int | None]]) -> None:
    """Run paced streams and pages apart, then together; print what each does to the other."""
    port, pid = at["studio"]
    row = Row(100, 250, pause_ms=20)
    visitors = [Visitor(port) for _ in range(PAGES)]
    ask_all(visitors, Row(1, 20, pause_ms=20))  # the first run of a page imports what it needs
    visitors = [Visitor(port) for _ in range(PAGES)]
    alone = run_round("studio", port, pid, row)
    pages_alone = ask_all(visitors, row)
    visitors = [Visitor(port) for _ in range(PAGES)]
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask_all, visitors, row)
        together = run_round("studio", port, pid, row)
        pages_together = asking.result()
    print(f"\n{row.streams} paced streams and {PAGES} pages that stream the same answer")
    for name, ran in (("streams alone", alone), ("streams beside pages", together)):
        print(
            f"  {name:<24} median {quantile(ran.delays_us, 0.5):6.2f} ms   "
            f"p99 {quantile(ran.delays_us, 0.99):6.2f} ms   wall {ran.wall_s:5.2f} s"
        )
    for name, times in (("pages alone", pages_alone), ("pages beside streams", pages_together)):
        print(f"  {name:<24} median {statistics.median(times):6.2f} s    worst {max(times):6.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--pages", action="store_true", help="the row with pages, whatever else")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    args = parser.parse_args()
    rows = [
        Row(1, 500, rounds=15),
        Row(1, 10_000, rounds=5),
        Row(20, 500, rounds=7),
        Row(20, 10_000),
        Row(200, 500, rounds=5),
        Row(200, 2_000),
        Row(300, 500, pause_ms=20, rounds=3),
    ]
    if args.full:
        rows.insert(-1, Row(200, 10_000, rounds=2))
    if args.quick:
        rows = [
            Row(1, 500, rounds=3),
            Row(20, 500, rounds=2),
            Row(200, 500, rounds=2),
            Row(300, 100, pause_ms=20, rounds=1),
        ]
    rows = [row for row in rows if args.only in row.name]
    with (
        tempfile.TemporaryDirectory(prefix="inkling-bench-") as folder,
        targets(Path(folder)) as at,
    ):
        pid = at["studio"][1]
        assert pid is not None
        time.sleep(5)  # what Streamlit imports for its first page is read in behind its start
        idle = memory_mb(pid, "VmRSS")
        print(f"idle studio {idle:.0f} MB; ratio is the wall time against Node's")
        print(
            f"{'streams × chunks':<28}{'':<8}{'wall s':>8}{'streams/s':>9}{'ratio':>7}"
            f"{'CPU s':>8}{'first ms':>9}{'MB':>8}{'added ms':>9}{'p99 ms':>9}"
        )
        run_round("studio", *at["studio"], Row(20, 100))  # warm
        run_round("node", *at["node"], Row(20, 100))
        for row in rows:
            report(row, measure(row, at))
        if args.pages or not (args.quick or args.only):
            measure_with_pages(at)


if __name__ == "__main__":
    main()
