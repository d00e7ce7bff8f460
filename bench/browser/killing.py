"""SIGKILL in mid-answer: how much of what the upstream had sent is found afterwards."""

import asyncio
import random
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright.sync_api import Browser

from bench.browser import figures
from bench.browser.documents import MARK
from bench.browser.scripted_upstream import Script, answer_script
from bench.browser.servers import studio
from bench.browser.sessions import Session
from bench.browser.watching import browsing, watched_page
from tests.upstream import Exchange, Upstream

KILLS = 20
WISH = Script(chars=14_000, pause_ms=10, first_ms=50)


def report(folder: Path) -> str:
    """Kill the server, start it on the same data, and read store and page."""
    dice = random.Random(11)
    short_s: list[float] = []
    short_chars: list[float] = []
    good = {"prefix": 0, "interrupted": 0, "page": 0}
    with (
        Upstream(answer_script) as upstream,
        browsing() as browser,
        ThreadPoolExecutor(1) as thread,
    ):
        for number in range(KILLS):
            place = folder / f"kill-{number}"
            with studio(place, upstream) as app:
                # In a thread: Playwright has a loop of its own in this one.
                thread.submit(asyncio.run, _ask_and_leave(app.url, dice.uniform(0.3, 6))).result()
                killed_at = time.time()
                app.kill()
            exchange = upstream.answers[-1]
            with studio(place, upstream) as app:
                database = place / "data" / "inkling.sqlite3"
                conversation, kept, _ = _stored(database)
                missing_s, missing_chars = _missing(exchange, kept, killed_at)
                short_s.append(missing_s)
                short_chars.append(missing_chars)
                good["prefix"] += WISH.text.startswith(kept)
                good["page"] += _page_shows(browser, f"{app.url}/?c={conversation}", kept)
                # Behind the page: the server answers before it has opened its store.
                good["interrupted"] += _stored(database) == (conversation, kept, "interrupted")
    rows = [
        ["seconds short", KILLS, *[f"{float(one) / 1000:.2f}" for one in _spread_ms(short_s)]],
        ["characters short", KILLS, *figures.spread(short_chars, 1)],
    ]
    said = (
        f"\nOf {KILLS}: a prefix of the answer {good['prefix']}, marked interrupted in the store "
        f"{good['interrupted']}, all of it and 已中断 on the page {good['page']}."
    )
    columns = ("", "kills", "median", "p95", "max")
    return figures.table("SIGKILL in mid-answer", columns, rows) + said


def _spread_ms(values: list[float]) -> list[str]:
    return [one.replace(",", "") for one in figures.spread(values)]


async def _ask_and_leave(url: str, after_s: float) -> None:
    async with Session(url) as session:
        await session.ask(WISH.question)
        while not session.seen.marks:
            await asyncio.sleep(0.01)
        await asyncio.sleep(after_s)


def _stored(database: Path) -> tuple[str, str, str]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        row = connection.execute(
            "SELECT conversation_id, content, status FROM messages WHERE role = 'assistant'"
        ).fetchone()
    return str(row[0]), str(row[1]), str(row[2])


def _missing(exchange: Exchange, kept: str, killed_at: float) -> tuple[float, int]:
    """Return how old the first lost character was, and how many were lost."""
    length = 0
    for piece, sent_at in zip(WISH.pieces, exchange.sent_at[1:], strict=False):
        length += len(piece)
        if length > len(kept):
            sent = [one for one in exchange.sent_at[1:] if one <= killed_at]
            total = sum(map(len, WISH.pieces[: len(sent)]))
            return max(0.0, killed_at - sent_at), max(0, total - len(kept))
    return 0.0, 0


def _page_shows(browser: Browser, url: str, kept: str) -> bool:
    page, _ = watched_page(browser, url)
    page.get_by_text("已中断").first.wait_for()
    shown = page.get_by_test_id("stChatMessage").last.inner_text()
    page.close()
    return MARK.findall(shown) == MARK.findall(kept)
