"""Search over many messages: common words, rare ones, two characters, one, nothing found.

Run from the repository's root: python -m bench.search [messages] [database URL]
The same questions are put to a hundredth of the messages: what grows with the store shows there.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

from sqlalchemy import insert

from core.storage.db.schema import messages
from core.storage.store import Store

OWNER = "local"
MESSAGES = 200_000
PER_CONVERSATION = 40
REPEATS = 40
LIMIT_MS = 30.0

_CHINESE = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工"
_ENGLISH = ("stream", "of", "events", "server", "browser", "keeps", "order", "retries", "wait")
# What is looked for: the share of messages that hold it, and the words.
KINDS: dict[str, tuple[float, list[str]]] = {
    "common": (0.3, ["database", "数据库"]),
    "two characters, common": (0.3, ["缓存", "go"]),
    "one in a hundred": (0.01, ["postgres", "乌篷船"]),
    "two characters, 1 in 100": (0.01, ["砚台", "c#"]),
    "one in a thousand": (0.001, ["quicksilver", "蓑衣鹤"]),
    "two characters, 1 in 1000": (0.001, ["麒麟", "zx"]),
    "rare": (0.00002, ["xylophone", "鸬鹚渡"]),
    "two characters, rare": (0.00002, ["饕餮", "qj"]),
    "one character, rare": (0.00002, ["龘"]),
    "only long ago": (0.0, ["antique", "青铜器"]),  # in the oldest tenth, each
    "two words": (0.0, ["database 乌篷船", "缓存 砚台"]),
    "nothing found": (0.0, ["nonexistent-word", "魑魅魍魉", "鼗鼓", "q9"]),
}


def texts_of(count: int, chance: random.Random) -> Iterable[str]:
    """Yield what is said, the oldest first, some 300 characters each."""
    for number in range(count):
        said = (
            "".join(chance.choices(_CHINESE, k=180))
            + " "
            + " ".join(chance.choices(_ENGLISH, k=20))
        )
        planted = [
            word for share, words in KINDS.values() for word in words if chance.random() < share
        ]
        if number < count // 10:
            planted += KINDS["only long ago"][1]
        yield " ".join([said, *planted, "。"])


def fill(store: Store, count: int) -> None:
    """Write down so many messages of one owner, and index them."""
    chance = random.Random(7)
    began = datetime.now(UTC) - timedelta(seconds=count)
    rows: list[dict[str, object]] = []
    for number, said in enumerate(texts_of(count, chance)):
        if number % PER_CONVERSATION == 0:
            conversation = store.conversations.create(OWNER, title=said[:20])
        rows.append(
            {
                "id": f"m{number:09}",
                "conversation_id": conversation.id,
                "role": "user",
                "content": said,
                "reasoning_content": "",
                "status": "complete",
                "model": "",
                "finish_reason": "stop",
                "error_detail": "",
                "practice": False,
                "created_at": began + timedelta(seconds=number),
            }
        )
        if len(rows) == 5_000:
            _write(store, rows)
    _write(store, rows)
    index = store.search_index
    while index.waiting():
        index.catch_up()


def _write(store: Store, rows: list[dict[str, object]]) -> None:
    if rows:
        with store._database.write() as connection:
            connection.execute(insert(messages), rows)
        rows.clear()


def times_ms(store: Store, words: list[str]) -> list[float]:
    """Return how long each search took."""
    taken = []
    for number in range(REPEATS):
        began = time.perf_counter()
        store.search.find(OWNER, words[number % len(words)])
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def main() -> None:
    """Print one table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES
    found: list[dict[str, tuple[float, float]]] = []
    with tempfile.TemporaryDirectory() as folder:
        for size in (count // 100, count):
            url = sys.argv[2] if len(sys.argv) > 2 else str(Path(folder) / f"{size}.sqlite3")
            store = Store.open(url)
            fill(store, size)
            column = {}
            for kind, (_, words) in KINDS.items():
                cuts = quantiles(times_ms(store, words), n=20)
                column[kind] = (cuts[9], cuts[18])
            found.append(column)
            store.close()
    print(f"| ms, p50 / p95 | {count // 100:,} messages | {count:,} messages |\n|---|---|---|")
    for kind in KINDS:
        small, large = (f"{column[kind][0]:.1f} / {column[kind][1]:.1f}" for column in found)
        mark = "" if found[1][kind][1] <= LIMIT_MS else f" (limit {LIMIT_MS:.0f})"
        print(f"| {kind} | {small} | {large}{mark} |")


if __name__ == "__main__":
    main()
