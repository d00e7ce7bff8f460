"""What a thousand waiting picture tasks cost: `python -m bench.worker`.

One process of the app (store, archive, worker) against a fake Kling in another process, at the pace
the app has for real money. The fixed loops beside it are computed from the very same tasks: a loop
of 3 s asks once every 3 s for as long as the task takes, and sees its end half of that late.
"""

import argparse
import io
import math
import multiprocessing
import random
import resource
import tempfile
import threading
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

from PIL import Image

from core.models.generations import Generation, GenerationStatus, ImageRequest
from core.wire.pacing import POLL_LONGEST_S, POLL_SHARE_OF_AGE, POLL_SHORTEST_S
from core.work.generations.timings import WorkerTimings
from tests.crash.fake_kling import FakeKling, Plan, Seen
from tests.crash.fake_pictures import make_png
from tests.crash.workshop import OWNER, Workshop

FIXED_LOOPS_S = (1, 3, 5)
SAMPLE_S = 0.5


class BenchKling(FakeKling):
    """A fake whose pictures are all the same, of a size as Kling's are."""

    content = b""

    def picture(self, task_id: str, index: int) -> bytes:
        """Return the one picture there is."""
        return self.content


def serve(pipe: Any, shortest_s: float, longest_s: float, pixels: int) -> None:
    """Be Kling until told to stop, then tell what was seen."""
    spread = random.Random(1)
    # The first one is the warm-up's.
    plan = Plan(runs_s=lambda number: spread.uniform(shortest_s, longest_s) if number else 0.1)
    BenchKling.content = _picture(pixels)
    with BenchKling(plan) as fake:
        pipe.send(fake.origin)
        pipe.recv()
        fake.seen = Seen()
        pipe.send("ready")
        pipe.recv()
        tasks = {task.task_id: (task.accepted_at, task.ended) for task in fake.tasks.values()}
        seen = fake.seen
        pipe.send((tasks, len(seen.polls), seen.lists, seen.accepted.total(), seen.fetches))


def _picture(pixels: int) -> bytes:
    """Return a PNG that decodes like a drawing: smooth, with some grain."""
    if pixels < 100:
        return make_png("bench", width=pixels, height=pixels)
    image = Image.radial_gradient("L").resize((pixels, pixels))
    grain = Image.effect_noise((pixels, pixels), 8)
    target = io.BytesIO()
    Image.merge("RGB", (image, grain, image)).save(target, "PNG")
    return target.getvalue()


class Meter(threading.Thread):
    """Samples this process's CPU time and memory."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, float, int]] = []
        self.is_over = False

    def run(self) -> None:
        """Sample until it is over."""
        while not self.is_over:
            self.sample()
            time.sleep(SAMPLE_S)

    def sample(self) -> None:
        """Take one sample: when, CPU seconds so far, bytes resident."""
        resident_pages = int(Path("/proc/self/statm").read_text().split()[1])
        rss = resident_pages * resource.getpagesize()
        self.samples.append((time.time(), time.process_time(), rss))

    def cpu_share(self, start: float, end: float) -> float:
        """Return the part of one core used between two moments."""
        inside = [sample for sample in self.samples if start <= sample[0] <= end]
        if len(inside) < 2:
            return math.nan
        return (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000)
    parser.add_argument("--shortest-s", type=float, default=60.0)
    parser.add_argument("--longest-s", type=float, default=150.0)
    parser.add_argument("--pixels", type=int, default=1_024)
    asked = parser.parse_args()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    kling = multiprocessing.get_context("spawn").Process(
        target=serve, args=(theirs, asked.shortest_s, asked.longest_s, asked.pixels), daemon=True
    )
    kling.start()
    meter = Meter()
    with (
        tempfile.TemporaryDirectory() as folder,
        Workshop(Path(folder), ours.recv(), timings=WorkerTimings()) as workshop,
    ):
        # What is loaded once is not growth.
        workshop.generations.request(OWNER, ImageRequest("warm up"))
        _wait_until_done(workshop)
        ours.send("warm")
        ours.recv()
        meter.sample()
        meter.start()
        begun = time.time()
        for number in range(asked.tasks):
            workshop.generations.request(OWNER, ImageRequest(f"hill {number}"))
        _wait_until_done(workshop)
        over = time.time()
        meter.is_over = True
        ours.send("stop")
        tasks, polls, lists, accepted, fetches = ours.recv()
        archived_at = {
            str(row.task_id): workshop.store.generations.history(OWNER, row.id)[-1].at.timestamp()
            for row in _rows(workshop)
            if row.status is GenerationStatus.ARCHIVED and row.request.prompt != "warm up"
        }
    mine = {task_id: tasks[task_id] for task_id in archived_at}
    all_sent = max(accepted_at for accepted_at, _ in mine.values())
    first_end = min(ended for _, ended in mine.values())
    delays = [archived_at[task_id] - ended for task_id, (_, ended) in mine.items()]
    times = [ended - accepted_at for accepted_at, ended in mine.values()]
    interval = median(
        min(max(each * POLL_SHARE_OF_AGE, POLL_SHORTEST_S), POLL_LONGEST_S) for each in times
    )
    memory = [rss for _, _, rss in meter.samples]
    requests = (polls + lists) / accepted
    figures = {
        "tasks archived": len(mine),
        "accepted by Kling": accepted,
        "seconds until all were sent": all_sent - begun,
        "seconds in all": over - begun,
        "CPU while sending, of one core": meter.cpu_share(begun, all_sent),
        "CPU with all in flight": meter.cpu_share(all_sent, first_end),
        "CPU while they end": meter.cpu_share(first_end, over),
        "memory growth, MB": (max(memory) - memory[0]) / 1e6,
        "poll interval, median s": interval,
        "succeed to archived, median s": median(delays),
        "succeed to archived, worst s": max(delays),
        "pictures fetched": fetches,
    }
    for name, figure in figures.items():
        print(
            f"{name:36}{figure:>10.3f}" if isinstance(figure, float) else f"{name:36}{figure:>10}"
        )
    print(f"\n{'loop':12}{'requests a task':>18}{'seen late, median s':>22}")
    print(f"{'ours':12}{requests:>18.2f}{median(delays):>22.2f}")
    for every_s in FIXED_LOOPS_S:
        count = mean(math.ceil(each / every_s) for each in times)
        late = median(math.ceil(each / every_s) * every_s - each for each in times)
        print(f"{f'fixed {every_s} s':12}{count:>18.2f}{late:>22.2f}")


def _wait_until_done(workshop: Workshop) -> None:
    # Rarely, since the asking would be counted too.
    while any(
        count
        for status, count in workshop.store.generation_lists.counts().items()
        if not status.is_final
    ):
        time.sleep(1)


def _rows(workshop: Workshop) -> list[Generation]:
    rows: list[Generation] = []
    cursor: str | None = None
    while True:
        page = workshop.store.generation_lists.list(OWNER, limit=500, cursor=cursor)
        rows += page.items
        cursor = page.next_cursor
        if cursor is None:
            return rows


if __name__ == "__main__":
    main()
