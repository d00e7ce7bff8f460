"""Many pages open at once, some of which stream an answer: how late, and in how much memory."""

import asyncio
import itertools
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bench.browser import figures
from bench.browser.documents import marks_by_chunk
from bench.browser.scripted_upstream import Script, answer_script
from bench.browser.servers import memory_mb, studio, worked_s
from bench.browser.sessions import Session
from bench.peering.process_tree import come_to_rest
from core.markdown.rendering import for_streamlit
from tests.modules import ROOT
from tests.upstream import Upstream

CHARS = 14_000  # 1,000 chunks at 20 ms: twenty seconds together
LIMIT_S = 180.0
OPENING_LIMIT_S = 900.0
OPENING_AT_ONCE = 8
REST_S = 15.0
_COLUMNS = (
    *("pages open", "of them ask", "opened in ms, median", "p95", "max"),
    *("whole texts", "late ms, median", "p95", "max", "slowest upstream s (20 asked for)"),
    *("server CPU s to open", "idle a minute", "to answer"),
    *("MB before", "all open", "after"),
)


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many pages that are open, and how many of them ask at the same time."""

    pages: int
    asking: int


def report(folder: Path, crowds: list[Crowd]) -> str:
    """Let crowds of sessions open pages, rest, and ask at the same time."""
    with Upstream(answer_script) as upstream:
        rows = [_row(folder / f"crowd-{one.pages}", upstream, one) for one in crowds]
    return figures.table(
        f"Many at once, {CHARS:,} characters each at 20 ms a chunk", _COLUMNS, rows
    )


def _row(folder: Path, upstream: Upstream, crowd: Crowd) -> list[object]:
    known = len(upstream.answers)
    command = [sys.executable, "-m", "bench.browser.concurrent_sessions"]
    with studio(folder, upstream) as app:
        before_mb, worked = memory_mb(app), [worked_s(app)]
        watching = subprocess.Popen(
            [*command, app.url, str(crowd.pages), str(crowd.asking)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert watching.stdin is not None
        assert watching.stdout is not None
        opened_s = _line(watching.stdout)
        come_to_rest(app.process.pid)
        open_mb = memory_mb(app)
        worked.append(worked_s(app))
        began = time.monotonic()
        time.sleep(REST_S)  # the time itself is what is measured
        minutes = (time.monotonic() - began) / 60
        worked.append(worked_s(app))
        print("ask", file=watching.stdin, flush=True)
        seen = _line(watching.stdout)
        worked.append(worked_s(app))
        after_mb = memory_mb(app)
        watching.communicate()
    exchanges = {one.body["messages"][-1]["content"]: one for one in upstream.answers[known:]}
    late: list[float] = []
    took: list[float] = []
    for number, one in enumerate(seen):
        script = _script(number)
        sent_at = exchanges[script.question].sent_at
        took.append(sent_at[-1] - sent_at[1])
        late += _late(script, sent_at, one["marks"])
    used = [later - earlier for earlier, later in itertools.pairwise(worked)]
    return [
        *(f"{len(opened_s):,} of {crowd.pages:,}", crowd.asking, *figures.spread(opened_s)),
        f"{sum(one['whole'] for one in seen)} of {crowd.asking}",
        *(*figures.spread(late), f"{max(took):.1f}"),
        *(f"{used[0]:.1f}", f"{used[1] / minutes:.1f}", f"{used[2]:.1f}"),
        *(f"{one:.0f}" for one in (before_mb, open_mb, after_mb)),
    ]


def _line(told: IO[str]) -> Any:
    return json.loads(told.readline())


def _script(number: int) -> Script:
    return Script(chars=CHARS, first=1 + 10_000 * number)


def _late(script: Script, sent_at: list[float], marks: list[list[float]]) -> list[float]:
    late, last, position = [], 0, 0
    for mark, at in zip(marks_by_chunk(script.pieces), sent_at[1:], strict=False):
        if mark <= last:
            continue
        last = mark
        while position < len(marks) and marks[position][0] < mark:
            position += 1
        if position < len(marks):
            late.append(marks[position][1] - at)
    return late


async def _watch(url: str, crowd: Crowd) -> None:
    """Open the pages, tell how long each took, and once told to, ask and tell what was seen."""
    doors = asyncio.Semaphore(OPENING_AT_ONCE)

    async def opened() -> tuple[Session, float] | None:
        async with doors:
            began = time.monotonic()
            try:
                session = await Session(url).__aenter__()
            except (OSError, TimeoutError) as error:
                print(f"not opened: {error!r}", file=sys.stderr)
                return None
            return session, time.monotonic() - began

    async with asyncio.timeout(OPENING_LIMIT_S):
        found = await asyncio.gather(*(opened() for _ in range(crowd.pages)))
    there = [one for one in found if one is not None]
    print(json.dumps([took for _, took in there]), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    asking = enumerate(session for session, _ in there[: crowd.asking])
    seen = await asyncio.gather(*(_ask(number, session) for number, session in asking))
    print(json.dumps(seen), flush=True)
    for session, _ in there:
        await session.__aexit__(None, None, None)


async def _ask(number: int, session: Session) -> dict[str, object]:
    script = _script(number)
    await session.ask(script.question)
    try:
        async with asyncio.timeout(LIMIT_S):
            await session.wait_for(for_streamlit(script.text).strip())
        whole = True
    except TimeoutError:
        whole = False
    return {"whole": whole, "marks": session.seen.marks}


if __name__ == "__main__":
    asyncio.run(_watch(sys.argv[1], Crowd(int(sys.argv[2]), int(sys.argv[3]))))
