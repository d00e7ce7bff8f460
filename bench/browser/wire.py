"""What a long answer costs: bytes on the websocket, work of the server and of the page, delay."""

from pathlib import Path

from playwright.sync_api import Browser, Page

from bench.browser import figures
from bench.browser.documents import KINDS, marks_by_chunk
from bench.browser.relay import Relay
from bench.browser.scripted_upstream import Script, answer_script
from bench.browser.servers import plain, studio, worked_s
from bench.browser.watching import (
    Log,
    Renderer,
    Wire,
    ask,
    browsing,
    log_of,
    wait_idle,
    wait_mark,
    wait_over,
    watched_page,
)
from tests.running_app import RunningApp
from tests.upstream import Exchange, Upstream

COLUMNS = (
    "text",
    "characters",
    "frames / text",
    "with the final drawing",
    "on the wire / text",
    "frames",
    "server µs/char",
    "page µs/char",
    "delay p50 ms",
    "p95",
    "max",
)


def report(folder: Path, sizes: list[int]) -> str:
    """Stream texts of every kind and size, and the same to the plain page."""
    rows = []
    with Upstream(answer_script) as upstream, browsing() as browser:
        for kind in KINDS:
            for chars in sizes:
                place = folder / f"{kind}-{chars}".replace(" ", "-")
                with studio(place, upstream) as app, Relay(app.url) as relay:
                    rows.append(_measure(app, relay, browser, upstream, Script(kind, chars)))
        for chars in sizes[:2]:
            with plain(folder, upstream) as app, Relay(app.url) as relay:
                row = _measure(app, relay, browser, upstream, Script("markdown", chars))
                rows.append([f"plain write_stream, {row[0]}", *row[1:]])
    return figures.table("A long answer, 14 characters every 20 ms", COLUMNS, rows)


def _measure(
    app: RunningApp, relay: Relay, browser: Browser, upstream: Upstream, script: Script
) -> list[object]:
    page, wire = watched_page(browser, relay.url)
    renderer = Renderer(page)
    size_bytes, marks = len(script.text.encode()), marks_by_chunk(script.pieces)
    before = wire.size_bytes, wire.frames, worked_s(app), renderer.worked_s()
    relayed_before = relay.size_bytes
    exchange = ask(page, upstream, script.question)
    wait_over(page, exchange)
    streamed_bytes = wire.size_bytes - before[0]
    relayed_bytes = relay.size_bytes - relayed_before
    wait_mark(page, marks[-1])
    _settle(page, wire)
    log = log_of(page)
    row: list[object] = [
        script.kind,
        f"{script.chars:,}",
        f"{streamed_bytes / size_bytes:.2f}",
        f"{(wire.size_bytes - before[0]) / size_bytes:.2f}",
        f"{relayed_bytes / size_bytes:.2f}",
        f"{wire.frames - before[1]:,}",
        f"{(worked_s(app) - before[2]) / script.chars * 1e6:.0f}",
        f"{(renderer.worked_s() - before[3]) / script.chars * 1e6:.0f}",
        *figures.spread(delays(log, exchange, marks)),
    ]
    page.close()
    return row


def _settle(page: Page, wire: Wire) -> None:
    """Wait for the final drawing, and for the title."""
    wait_idle(page)
    page.wait_for_timeout(1_000)
    wait_idle(page)


def delays(log: Log, exchange: Exchange, marks: list[int]) -> list[float]:
    """Return for each sentence how long it took from the upstream to the eye."""
    found, last = [], 0
    for mark, sent_at in zip(marks, exchange.sent_at[1:], strict=False):
        if mark > last:
            last = mark
            seen_at = log.seen_at(mark)
            if seen_at is None:
                raise SystemExit(f"sentence {mark} was never seen")
            found.append(seen_at - sent_at)
    return found
