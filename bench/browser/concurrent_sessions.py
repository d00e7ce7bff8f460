"""Many sessions at once, each streaming its own answer: how late, and in how much memory."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from bench.browser import figures
from bench.browser.documents import marks_by_chunk
from bench.browser.scripted_upstream import Script, answer_script
from bench.browser.servers import memory_mb, studio, worked_s
from bench.browser.sessions import Session
from core.markdown.rendering import for_streamlit
from tests.modules import ROOT
from tests.upstream import Upstream

CHARS = 14_000  # 1,000 chunks at 20 ms: twenty seconds together
LIMIT_S = 180.0


def report(folder: Path, crowds: list[int]) -> str:
    """Let crowds of sessions ask at the same time."""
    rows = []
    with Upstream(answer_script) as upstream:
        for size in crowds:
            with studio(folder / f"crowd-{size}", upstream) as app:
                idle_mb = memory_mb(app)
                worked = worked_s(app)
                known = len(upstream.answers)
                watching = subprocess.Popen(
                    [sys.executable, "-m", "bench.browser.concurrent_sessions", app.url, str(size)],
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                told, _ = watching.communicate()
                peak_mb, used_s = memory_mb(app), worked_s(app) - worked
                exchanges = {
                    one.body["messages"][-1]["content"]: one for one in upstream.answers[known:]
                }
                late: list[float] = []
                whole = 0
                took: list[float] = []
                for number, seen in enumerate(json.loads(told)):
                    script = _script(number)
                    sent_at = exchanges[script.question].sent_at
                    took.append(sent_at[-1] - sent_at[1])
                    whole += seen["whole"]
                    late += _late(script, sent_at, seen["marks"])
                rows.append(
                    [
                        size,
                        f"{whole} of {size}",
                        *figures.spread(late),
                        f"{max(took):.1f}",
                        f"{used_s:.1f}",
                        f"{idle_mb:.0f}",
                        f"{peak_mb:.0f}",
                    ]
                )
    columns = (
        "sessions",
        "whole texts",
        "late ms, median",
        "p95",
        "max",
        "slowest upstream s (20 asked for)",
        "server CPU s",
        "MB before",
        "MB after",
    )
    return figures.table(f"Many at once, {CHARS:,} characters each at 20 ms a chunk", columns, rows)


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


async def _watch(url: str, size: int) -> list[dict[str, object]]:
    async def one(number: int) -> dict[str, object]:
        script = _script(number)
        async with Session(url) as session:
            opened.release()
            await everyone_is_there.wait()
            await session.ask(script.question)
            try:
                async with asyncio.timeout(LIMIT_S):
                    await session.wait_for(for_streamlit(script.text).strip())
                whole = True
            except TimeoutError:
                whole = False
            return {"whole": whole, "marks": session.seen.marks}

    opened, everyone_is_there = asyncio.Semaphore(0), asyncio.Event()
    sessions = [asyncio.create_task(one(number)) for number in range(size)]
    for _ in range(size):
        await opened.acquire()
    everyone_is_there.set()
    return await asyncio.gather(*sessions)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_watch(sys.argv[1], int(sys.argv[2])))))
