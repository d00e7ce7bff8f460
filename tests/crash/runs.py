"""One run of the crash table: a fault at Kling, a death on our side, a restart, and the count."""

import hashlib
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.access.owners import LOCAL_OWNER
from core.archive.archive import Archive
from core.models.generations import GenerationStatus
from core.models.money.ledger import LineState
from core.storage.money.filters import LedgerFilter
from core.storage.store import Store
from tests.crash.fake_kling import FakeKling, Plan
from tests.modules import Process, start_module

RUN_LONGEST_S = 200.0

# Each fault with the plan that makes it. Only where a task stays hidden longer than our pause does
# the fake keep ids unique, as Kling's docs say it does; elsewhere a second POST would be a second
# task, and be counted.
FAULTS: dict[str, dict[str, object]] = {
    "none": {},
    "dropped before accepting": {"post": "drop/before"},
    "dropped after accepting": {"post": "drop/after"},
    "500 before accepting": {"post": "500/before"},
    "500 after accepting": {"post": "500/after"},
    "HTML before accepting": {"post": "html/before"},
    "HTML after accepting": {"post": "html/after"},
    "HTML with 200 after accepting": {"post": "html200/after"},
    "answer cut in the middle": {"post": "cut/after"},
    "answer without a task": {"post": "shape/after"},
    "answer late": {"post": "late"},
    "accepted late": {"post": "accept-late"},
    "1302 twice": {"post": "1302", "post_times": 2},
    "1303 twice": {"post": "1303", "post_times": 2},
    "hidden for a while": {"post": "hidden/after"},
    "hidden beyond our pause": {"post": "hidden/after", "hides_s": 2.5, "is_unique": True},
    "not found by our own id": {"post": "hidden-id/after"},
    "polls lost": {"polls": "lost"},
    "polls answered with HTML": {"polls": "html"},
    "polls answered with 500": {"polls": "500"},
    "status nobody knows": {"polls": "unknown-status"},
    "pictures cut": {"pictures": "cut"},
    "links stale": {"pictures": "stale"},
    "pictures 500": {"pictures": "500"},
    "HTML instead of pictures": {"pictures": "html"},
    "all at once": {"post": "drop/after", "polls": "lost", "pictures": "cut"},
}

# Where the process dies: by its own hand around a step, or by the fake's at a protocol moment.
DEATHS = (
    "intents.create/after",
    "mark_sending/before",
    "mark_sending/after",
    "at post-received",
    "at post-accepted",
    "at post-answered",
    "move-submitted/before",
    "move-submitted/after",
    "at poll",
    "move-processing/after",
    "move-succeeded/before",
    "move-succeeded/after",
    "at picture-asked",
    "at picture-half",
    "adopt/before",
    "adopt/after",
    "expected_pictures.add/before",
    "expected_pictures.add/after",
    "move-archived/before",
    "move-archived/after",
    "move-uncertain/before",
    "move-uncertain/after",
    "move-intended/after",
    "at random, twice",
)


@dataclass(frozen=True)
class Outcome:
    """What one run came to. `problems` is empty when all is well."""

    fault: str
    death: str
    deaths: int
    intents: int
    pictures: int
    posts: int
    accepted: int
    seconds: float
    problems: tuple[str, ...]


def run(fault: str, death: str, seed: int, kinds: Sequence[str] = ("image",)) -> Outcome:
    """Make pictures of these kinds under `fault`, die at `death`, start again, and count."""
    rng = random.Random(seed)
    intents = [rng.choice((1, 1, 2, 3)) for _ in range(rng.choice((1, 2)))]
    chosen = [kinds[(seed + number) % len(kinds)] for number in range(len(intents))]
    intents = [
        max(2, n) if kind == "series" else n for n, kind in zip(intents, chosen, strict=True)
    ]
    started = time.monotonic()
    with ExitStack() as stack:
        data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="inkling-crash-")))
        fake = stack.enter_context(FakeKling(Plan(**FAULTS[fault])))  # type: ignore[arg-type]
        told = {
            "data_dir": str(data_dir),
            "origin": fake.origin,
            "intents": intents,
            "kinds": chosen,
        }
        log = (data_dir / "log").open("wb")
        stack.enter_context(log)
        deaths = 0
        for _life in range(2 if death == "at random, twice" else 1):
            deaths += _live_and_die(told, death, fake, rng, log)
        # Who had not seen a wish written down asks for it again: the same key, the same wish.
        exit_code = _wait(_start(told, log))
        problems = _count(fake, data_dir, intents)
        if exit_code != 0:
            problems = (f"exit code {exit_code}", *problems)
        if problems:
            log.flush()
            problems = (*problems, (data_dir / "log").read_text()[-2000:])
        return Outcome(
            fault=fault,
            death=death,
            deaths=deaths,
            intents=len(intents),
            pictures=sum(intents),
            posts=fake.seen.posts.total(),
            accepted=fake.seen.accepted.total(),
            seconds=time.monotonic() - started,
            problems=problems,
        )


def _start(told: Mapping[str, object], log: IO[bytes], **more: object) -> Process:
    return start_module("tests.crash.runner", json.dumps({**told, **more}), output=log)


def _wait(process: Process) -> int:
    try:
        return process.wait(RUN_LONGEST_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return 99


def _live_and_die(
    told: Mapping[str, object],
    death: str,
    fake: FakeKling,
    rng: random.Random,
    log: IO[bytes],
) -> int:
    """Let the app live until it dies, or has nothing left to do; return 1 when it was killed."""
    if death.startswith("at random"):
        process = _start(told, log)
        try:
            process.wait(rng.uniform(0.05, 2.0))
        except subprocess.TimeoutExpired:
            process.kill()
        return int(process.wait() == -9)
    if not death.startswith("at "):
        code = _wait(_start(told, log, die_at=death))
        if code not in (0, -9):  # it had nothing to do there, or died there
            raise RuntimeError(f"{death}: exit code {code}")
        return int(code == -9)
    moment, left = death.removeprefix("at "), rng.choice((1, 1, 2))

    def strike(seen: str) -> None:
        nonlocal left
        if seen == moment:
            left -= 1
            if left == 0:
                process.kill()

    fake.hook = strike
    process = _start(told, log)
    killed = int(_wait(process) == -9)
    fake.hook = lambda seen: None
    return killed


def _ledger_problems(store: Store, ids: set[str]) -> list[str]:
    """Compare the ledger with what was asked for: a settled line each, and none besides."""
    lines = list(store.ledger.every(LedgerFilter()))
    problems = []
    if sorted(line.id for line in lines) != sorted(ids):
        problems.append(f"{len(lines)} lines in the ledger for {len(ids)} generations")
    if held := [line.id for line in lines if line.state is LineState.RESERVED]:
        problems.append(f"held back for ever: {held}")
    wrong = [line for line in lines if line.amount is None or line.amount <= 0]
    return problems + [f"no amount: {line}" for line in wrong]


def _count(fake: FakeKling, data_dir: Path, intents: list[int]) -> tuple[str, ...]:
    """Compare what Kling accepted, what is in the store, and what is on the disk."""
    problems: list[str] = []
    store = Store.open(data_dir / "inkling.sqlite3")
    archive = Archive.open(data_dir / "pictures")
    try:
        rows = store.generation_lists.list(LOCAL_OWNER).items
        if len(rows) != len(intents):
            problems.append(f"{len(rows)} rows for {len(intents)} intents")
        if any(count != 1 for count in fake.seen.accepted.values()):
            problems.append(f"accepted more than once: {fake.seen.accepted.most_common(2)}")
        problems += _ledger_problems(store, {row.id for row in rows})
        for row in rows:
            if row.status is not GenerationStatus.ARCHIVED:
                problems.append(f"a row ended as {row.status}: {row.error_text_id}")
                continue
            if fake.seen.accepted[row.external_task_id] != 1 or row.task_id is None:
                problems.append(f"accepted {fake.seen.accepted[row.external_task_id]} times")
                continue
            if [picture.index for picture in row.pictures] != list(range(row.request.n)):
                problems.append(f"{len(row.pictures)} of {row.request.n} pictures")
            for picture in row.pictures:
                sent = fake.picture(row.task_id, picture.index)
                kept = archive.original_bytes(picture.name)
                if kept != sent or picture.sha256 != hashlib.sha256(sent).hexdigest():
                    problems.append("a picture differs from what Kling sent")
        left = list((data_dir / "pictures" / "parts").glob("*"))
        files = list((data_dir / "pictures").glob("2*/**/*.png"))
        if len(files) != sum(intents):
            problems.append(f"{len(files)} files for {sum(intents)} pictures")
        if len(left) > 12:
            problems.append(f"{len(left)} parts left behind")
    finally:
        store.close()
    return tuple(problems)
