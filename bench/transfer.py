"""Memory and time of an export and its import: `python -m bench.transfer [MEGABYTES]`.

A server of its own takes the file over HTTP, twice, and gives it back; peaks are the kernel's
(VmHWM), relative to what the idle server used.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from core.storage.store import Store
from core.work.transfer.tickets import Tickets
from tests.running_app import RunningApp, running_app, wait_until_there
from tests.web.chat.test_transfer import EXPORT, Uploader, conversation, forget_peak, peak_mb

MB = 1 << 20
MESSAGES = 40
TEXT = "水墨 ink " * 900
SETTLED_S = 10.0


def pieces(count: int) -> Iterator[str]:
    yield '{"format": "inkling-conversations", "version": 1, "conversations": ['
    for number in range(count):
        told = json.dumps(conversation(number, MESSAGES, TEXT), ensure_ascii=False)
        yield (", " if number else "") + told
    yield "]}"


def main() -> None:
    """Measure, and print one line for each step."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "export.json"
        one = len(json.dumps(conversation(0, MESSAGES, TEXT), ensure_ascii=False).encode())
        count = megabytes * MB // one
        with path.open("w", encoding="utf-8") as file:
            file.writelines(pieces(count))
        print(f"{path.stat().st_size / MB:.0f} MB, {count} conversations × {MESSAGES} messages")
        with running_app(folder / "data") as app:
            wait_until_there(f"{app.url}/readyz", app)
            time.sleep(SETTLED_S)  # a measurement, not a test: the pages' libraries are loaded
            measure(app, path, count)


def measure(app: RunningApp, path: Path, count: int) -> None:
    store = Store.open(app.data_dir / "inkling.sqlite3")
    tickets = Tickets(store.key_values)
    idle = forget_peak(app)
    size = path.stat().st_size
    print(f"{'idle':20} {idle:7.0f} MB")
    with httpx.Client(base_url=app.url, timeout=120, trust_env=False) as http:
        for turn in ("first", "second"):
            upload = Uploader(http, tickets.sign("local", "import"), turn)
            began = time.monotonic()
            with path.open("rb") as file:
                while piece := file.read(MB):
                    assert upload.put(piece, file.tell() - len(piece), size).status_code == 200
            tell(app, f"{turn} upload", idle, began)
            began = time.monotonic()
            assert upload.finish(size)["phase"] == "done"
            tell(app, f"{turn} import", idle, began)
            assert store.conversations.count("local") == count
            shown = store.conversations.list("local").items[0]
            assert len(store.messages.path("local", shown.id)) == MESSAGES
        began, came = time.monotonic(), 0
        query = {"ticket": tickets.sign("local", "export")}
        with http.stream("GET", EXPORT, params=query) as reply:
            for chunk in reply.iter_bytes():
                came += len(chunk)
        tell(app, f"export ({came / MB:.0f} MB)", idle, began)
    store.close()


def tell(app: RunningApp, step: str, idle: float, began: float) -> None:
    print(
        f"{step:20} {peak_mb(app) - idle:+7.0f} MB  {time.monotonic() - began:6.1f} s", flush=True
    )


if __name__ == "__main__":
    main()
