"""Pages of the app beside the streams: what each does to the other."""

import json
import statistics
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.proxies.reader import run_round
from bench.proxies.rounds import Row, quantile
from bench.proxies.targets import Places

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
    """Ask on all pages at once; return how long each took."""
    with ThreadPoolExecutor(len(visitors)) as pool:
        return list(pool.map(lambda visitor: visitor.ask(row), visitors))


def measure_with_pages(at: Places) -> None:
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
