"""From Enter to the first visible character, beside what the upstream itself took."""

import http.client
import json
import time
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser

from bench.browser import figures
from bench.browser.documents import marks_by_chunk
from bench.browser.scripted_upstream import Script, answer_script
from bench.browser.servers import plain, studio
from bench.browser.watching import (
    ask,
    browsing,
    log_of,
    wait_idle,
    wait_mark,
    wait_over,
    watched_page,
)
from tests.upstream import Upstream

STARTS = 6
QUESTIONS = 6
SHORT = Script(chars=120)


def report(folder: Path) -> str:
    """Ask short questions: the first after a start of the server, and those behind it."""
    first: dict[str, list[float]] = {"studio": [], "plain write_stream": []}
    later: dict[str, list[float]] = {"studio": [], "plain write_stream": []}
    with Upstream(answer_script) as upstream, browsing() as browser:
        for start in range(STARTS):
            with studio(folder / f"start-{start}", upstream) as app:
                _collect(app.url, browser, upstream, first["studio"], later["studio"])
            with plain(folder, upstream) as app:
                name = "plain write_stream"
                _collect(app.url, browser, upstream, first[name], later[name])
        direct = [_direct(upstream) for _ in range(STARTS * QUESTIONS)]
    rows = [
        [name, moment, len(values), *figures.spread(values)]
        for name in first
        for moment, values in (("first after the start", first[name]), ("later", later[name]))
    ]
    rows.append(["upstream read directly", "", len(direct), *figures.spread(direct)])
    columns = ("", "answer", "n", "added ms, median", "p95", "max")
    return figures.table(
        "Enter to first visible character, upstream's time taken off", columns, rows
    )


def _collect(
    url: str, browser: Browser, upstream: Upstream, first: list[float], later: list[float]
) -> None:
    page, _ = watched_page(browser, url)
    for number in range(QUESTIONS):
        script = Script(chars=SHORT.chars, first=1 + 1000 * number)
        marks = marks_by_chunk(script.pieces)
        begins = next(at for at, mark in enumerate(marks) if mark)
        exchange = ask(page, upstream, script.question)
        wait_mark(page, marks[begins])
        log = log_of(page)
        seen_at = log.seen_at(marks[begins])
        assert seen_at is not None
        # The first sentence comes a few chunks after the first character: that time is theirs.
        upstream_s = exchange.sent_at[1 + begins] - exchange.asked_at
        (later if number else first).append(seen_at - log.enter - upstream_s)
        wait_over(page, exchange)
        wait_idle(page)
        page.wait_for_timeout(500)
        wait_idle(page)
    page.close()


def _direct(upstream: Upstream) -> float:
    parts = urlsplit(upstream.url)
    body = {"stream": True, "messages": [{"role": "user", "content": SHORT.question}]}
    asked_at = time.time()
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port)
    connection.request("POST", parts.path, json.dumps(body))
    answer = connection.getresponse()
    while not answer.readline().startswith(b"data:"):
        pass
    took_s = time.time() - asked_at
    exchange = upstream.answers[-1]
    connection.close()
    return took_s - (exchange.sent_at[1] - exchange.asked_at)
