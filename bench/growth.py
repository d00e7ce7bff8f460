"""What grows with what people keep: each page, a run of it, the start, memory, the wire.

Run from the repository's root: python -m bench.growth [--quick]
Stores of ten, a hundred and a thousand conversations (with ten times as many pictures at most), and
one long conversation beside an empty one. Each figure stands beside that of the smallest store.
"""

import argparse
import hashlib
import io
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page
from sqlalchemy import Table, insert, update

from bench.browser import figures
from bench.browser.documents import document
from bench.browser.servers import memory_mb
from bench.browser.watching import Wire, browsing
from core.access.owners import LOCAL_OWNER
from core.archive.archive import Archive, name_for
from core.storage.db import schema
from core.storage.store import Store
from tests.running_app import RunningApp, running_app, wait_until_there

PAGES = ("", "images", "gallery", "history", "money", "xray", "status")
# Conversations, pictures.
SIZES = ((10, 10), (100, 1_000), (1_000, 10_000))
# An opened page goes on to load what draws code and formulas; a run after that is meant.
SETTLED_MS = 2_000
TURNS, ANSWERS, ANSWER_CHARS = 4, 40, 7_500
REPEATS, QUICK_REPEATS = 9, 3
# Notes when a run of the page's script has ended, from its first word on.
_RUNS = """() => {
  window.inklingRuns = 0;
  const look = (records) => {
    for (const one of records) if (one.oldValue === "running") window.inklingRuns += 1;
  };
  new MutationObserver(look).observe(document, {
    subtree: true, attributeFilter: ["data-test-script-state"], attributeOldValue: true,
  });
}"""
_ENDED = "(before) => window.inklingRuns > before"


def report(repeats: int) -> str:
    """Measure every size, and the long conversation beside the empty one."""
    columns: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as name, browsing() as browser:
        for conversations, pictures in SIZES:
            folder = Path(name) / f"{conversations}"
            _fill(folder, conversations, pictures)
            began = time.perf_counter()
            with _studio(folder) as app:
                figure = {"start, s": time.perf_counter() - began}
                page = browser.new_page(viewport={"width": 1366, "height": 850})
                page.add_init_script(f"({_RUNS})()")
                figure |= _pages(page, app, repeats)
                figure["memory, MB"] = memory_mb(app)
                page.close()
            columns.append(figure)
        folder = Path(name) / "long"
        empty, long = _fill_long(folder)
        with _studio(folder) as app:
            page = browser.new_page(viewport={"width": 1366, "height": 850})
            page.add_init_script(f"({_RUNS})()")
            turns = [_conversation(page, app, one, repeats) for one in (empty, long)]
    names = [f"{conversations:,} / {pictures:,}" for conversations, pictures in SIZES]
    return "\n".join(
        (
            _table("Conversations / pictures kept", names, columns),
            _table("A conversation", ["of one turn", f"of {ANSWERS} long answers"], turns),
        )
    )


def _table(title: str, names: list[str], columns: list[dict[str, float]]) -> str:
    rows = []
    for kind, first in columns[0].items():
        cells = [f"{first:,.2f}" if first < 10 else f"{first:,.0f}"]
        for column in columns[1:]:
            value = f"{column[kind]:,.2f}" if first < 10 else f"{column[kind]:,.0f}"
            cells.append(f"{value} ({column[kind] / first:.2f} ×)")
        rows.append([kind, *cells])
    return figures.table(title, ["median", *names], rows)


def _pages(page: Page, app: RunningApp, repeats: int) -> dict[str, float]:
    """Open each page in turn, as from a bookmark; the first round only warms up."""
    taken: dict[str, list[float]] = {one: [] for one in PAGES}
    sizes: dict[str, int] = {}
    wire = Wire()
    page.on("websocket", wire.listen)
    for _ in range(repeats + 1):
        for one in PAGES:
            before = wire.size_bytes
            taken[one].append(_open(page, f"{app.url}/{one}"))
            sizes[one] = wire.size_bytes - before
    figure = {
        f"{one or 'chat'}, ms": statistics.median(times[1:]) * 1000 for one, times in taken.items()
    }
    return figure | {f"{one or 'chat'}, kB": size / 1000 for one, size in sizes.items()}


def _conversation(page: Page, app: RunningApp, one: str, repeats: int) -> dict[str, float]:
    """Open a conversation, and have its page drawn again, by a switch of the composer."""
    wire = Wire()
    page.on("websocket", wire.listen)
    opened, again, sizes = [], [], []
    for _ in range(repeats + 1):
        opened.append(_open(page, f"{app.url}/?c={one}"))
        page.wait_for_timeout(SETTLED_MS)
        for _ in range(3):
            before, bytes_before = page.evaluate("window.inklingRuns"), wire.size_bytes
            began = time.perf_counter()
            page.get_by_test_id("stCheckbox").first.locator("label").click(
                position={"x": 10, "y": 10}
            )
            page.wait_for_function(_ENDED, arg=before)
            again.append(time.perf_counter() - began)
            page.wait_for_timeout(200)
            sizes.append(wire.size_bytes - bytes_before)
    return {
        "open, ms": statistics.median(opened[1:]) * 1000,
        "draw again, ms": statistics.median(again[3:]) * 1000,
        "draw again, kB": statistics.median(sizes[3:]) / 1000,
        "memory of the tab, MB": _tab_mb(page),
    }


def _open(page: Page, url: str) -> float:
    began = time.perf_counter()
    page.goto(url)
    page.wait_for_function(_ENDED, arg=0)
    return time.perf_counter() - began


def _tab_mb(page: Page) -> float:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


@contextmanager
def _studio(folder: Path) -> Iterator[RunningApp]:
    with running_app(folder) as app:
        wait_until_there(f"{app.url}/readyz", app)
        yield app


def _fill(folder: Path, conversations: int, pictures: int) -> None:
    """Write down conversations of four messages, and pictures that share one small file each."""
    folder.mkdir(parents=True)
    store = Store.open(str(folder / "inkling.sqlite3"))
    chance, now = random.Random(7), datetime.now(UTC)
    for _ in range(conversations):
        said = "".join(chance.choices("的一是在不了有和人这中大为上个国我以要他", k=300))
        one = store.conversations.create(LOCAL_OWNER, title=said[:16])
        _say(store, one.id, [said] * TURNS, now)
    _pictures(store, folder, pictures, now)
    while store.search_index.waiting():
        store.search_index.catch_up()
    store.close()


def _fill_long(folder: Path) -> tuple[str, str]:
    """Return the ids of a conversation of one turn, and of one of many long answers."""
    folder.mkdir(parents=True)
    store = Store.open(str(folder / "inkling.sqlite3"))
    now, answer = datetime.now(UTC), document("markdown", ANSWER_CHARS)
    found = []
    for count in (1, ANSWERS):
        one = store.conversations.create(LOCAL_OWNER, title=f"{count}")
        said = [text for _ in range(count) for text in ("问", answer if count > 1 else "答")]
        _say(store, one.id, said, now)
        found.append(one.id)
    store.close()
    return found[0], found[1]


def _say(store: Store, conversation_id: str, said: list[str], now: datetime) -> None:
    ids = [f"{conversation_id}-{number}" for number in range(len(said))]
    rows: list[dict[str, object]] = [
        {
            "id": ids[number],
            "conversation_id": conversation_id,
            "parent_id": ids[number - 1] if number else None,
            "role": "assistant" if number % 2 else "user",
            "content": words,
            "reasoning_content": "",
            "status": "complete",
            "finish_reason": "stop",
            "error_detail": "",
            "practice": False,
            "created_at": now,
        }
        for number, words in enumerate(said)
    ]
    _write(store, schema.messages, rows)
    head = update(schema.conversations).where(schema.conversations.c.id == conversation_id)
    with store._database.write() as connection:
        connection.execute(head.values(head_id=ids[-1]))


def _pictures(store: Store, folder: Path, count: int, now: datetime) -> None:
    """Write down tasks of one picture each; the files are of one content, each its own file."""
    archive = Archive.open(folder / "pictures")
    content = io.BytesIO()
    Image.effect_noise((320, 320), 60).save(content, "PNG")
    tasks: list[dict[str, object]] = []
    pictures: list[dict[str, object]] = []
    for number in range(count):
        at, one = now - timedelta(minutes=number), f"g{number:011}"
        name = name_for(at, one, 0, ".png")
        part = archive.new_part()
        part.write_bytes(content.getvalue())
        part.parent.parent.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        part.rename(part.parent.parent / name)  # without the syncs, for the bench's patience
        tasks.append(
            {
                "id": one,
                "owner": LOCAL_OWNER,
                "provider": "kling",
                "kind": "image",
                "origin": "page",
                "status": "archived",
                "request": {"prompt": f"第 {number} 张", "model_name": "kling-v3", "n": 1},
                "prompt": f"第 {number} 张",
                "model_name": "kling-v3",
                "aspect_ratio": "1:1",
                "resolution": "1k",
                "n": 1,
                "slots": 1,
                "created_at": at,
                "updated_at": at,
                "finished_at": at,
                "error_detail": "",
                "attempts": 1,
                "poll_count": 1,
                "next_check_at": at,
            }
        )
        pictures.append(
            {
                "id": f"p{number:06}",
                "generation_id": one,
                "index": 0,
                "owner": LOCAL_OWNER,
                "name": name,
                "media_type": "image/png",
                "width": 320,
                "height": 320,
                "size_bytes": len(content.getvalue()),
                "sha256": hashlib.sha256(content.getvalue()).hexdigest(),
                "created_at": at,
                "favourite": False,
            }
        )
    _write(store, schema.generations, tasks)
    _write(store, schema.pictures, pictures)


def _write(store: Store, table: Table, rows: list[dict[str, object]]) -> None:
    with store._database.write() as connection:
        for first in range(0, len(rows), 1_000):
            connection.execute(insert(table), rows[first : first + 1_000])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    told = parser.parse_args()
    print(report(QUICK_REPEATS if told.quick else REPEATS))


if __name__ == "__main__":
    main()
