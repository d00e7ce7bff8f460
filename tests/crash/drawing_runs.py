"""The official client draws over HTTP while the studio is killed by chance: one task a key.

python -m tests.crash.drawing_runs 40 [SEED]
"""

import io
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import openai
from PIL import Image

from tests.crash.fake_kling import FakeKling, Plan
from tests.running_app import free_port

ROOT = Path(__file__).parents[2]
LONGEST_S = 120.0
# What a person does who is not answered: the same again, under the same key.
AGAIN = (openai.APIConnectionError, openai.InternalServerError, openai.RateLimitError)


@dataclass
class Drawn:
    """What came of it all. `problems` is empty when all is well."""

    kills: int = 0
    asked: Counter[str] = field(default_factory=Counter)  # calls by key
    problems: list[str] = field(default_factory=list)


class Served:
    """The HTTP layer in a process of its own, which can be killed and begun again."""

    def __init__(self, folder: Path, origin: str) -> None:
        self._folder = folder
        self.port = free_port()
        told = {"data_dir": str(folder), "origin": origin, "port": self.port}
        self._command = [sys.executable, "-m", "tests.crash.web_runner", json.dumps(told)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin a life."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=log, stderr=log)

    def kill(self) -> None:
        """End it as the system does that is out of memory: SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@contextmanager
def _served(folder: Path, origin: str) -> Iterator[Served]:
    one = Served(folder, origin)
    one.start()
    try:
        yield one
    finally:
        one.kill()


def draw_under_kills(kills: int, seed: int) -> Drawn:
    """Draw, now from words, now from a picture, kill at moments of chance, and count."""
    rng, drawn = random.Random(seed), Drawn()
    with (
        tempfile.TemporaryDirectory(prefix="inkling-drawing-") as folder,
        FakeKling(Plan(runs_s=lambda number: 0.3 + number % 3 * 0.3)) as fake,
        _served(Path(folder), fake.origin) as served,
        openai.OpenAI(
            base_url=f"http://127.0.0.1:{served.port}/v1",
            api_key="any",
            max_retries=0,
            http_client=openai.DefaultHttpxClient(trust_env=False, timeout=LONGEST_S),
        ) as client,
    ):
        number = 0
        while drawn.kills < kills:
            number += 1
            _draw_once(client, served, fake, rng, drawn, number)
        for own_id, count in fake.seen.accepted.items():
            if count != 1:
                drawn.problems.append(f"{own_id} was accepted {count} times")
        if fake.seen.accepted.total() != number:
            drawn.problems.append(f"{fake.seen.accepted.total()} tasks for {number} keys")
        if drawn.problems:
            drawn.problems.append((Path(folder) / "log").read_text()[-2000:])
    return drawn


def _draw_once(
    client: openai.OpenAI,
    served: Served,
    fake: FakeKling,
    rng: random.Random,
    drawn: Drawn,
    number: int,
) -> None:
    key, killer = f"key-{number}", threading.Thread(target=_kill, args=(served, rng, drawn))
    killer.start()
    deadline, data = time.monotonic() + LONGEST_S, None
    while data is None and time.monotonic() < deadline:
        drawn.asked[key] += 1
        try:
            data = _ask(client, number, key).data
        except AGAIN:
            threading.Event().wait(0.1)  # else a studio that opens is only asked
    killer.join()
    if not data or not data[0].b64_json:
        drawn.problems.append(f"no picture for {key}")
        return
    sent = next(
        fake.picture(task.task_id, 0)
        for task in fake.tasks.values()
        if task.task_id.startswith(f"task-{number - 1:05d}")
    )
    if b64decode(data[0].b64_json) != sent:
        drawn.problems.append(f"another picture for {key}")


def _ask(client: openai.OpenAI, number: int, key: str) -> openai.types.ImagesResponse:
    headers = {"Idempotency-Key": key}
    prompt = f"a hill, {number}"
    if number % 2:
        return client.images.generate(
            prompt=prompt, response_format="b64_json", extra_headers=headers
        )
    file = io.BytesIO()
    Image.new("RGB", (320, 320), (200, 20, number % 250)).save(file, "PNG")
    image = ("red.png", file.getvalue())
    return client.images.edit(
        image=image, prompt=prompt, model="gpt-image-1", extra_headers=headers
    )


def _kill(served: Served, rng: random.Random, drawn: Drawn) -> None:
    # A drawing takes a second, a start nearly two: the first strikes the one, the second both.
    for longest_s in rng.choice(((1.2,), (1.2,), (1.2, 3.5))):
        threading.Event().wait(rng.uniform(0.02, longest_s))
        served.kill()
        drawn.kills += 1
        served.start()


if __name__ == "__main__":
    begun = time.monotonic()
    result = draw_under_kills(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    sys.stdout.write(
        f"{result.kills} kills, {len(result.asked)} keys, {result.asked.total()} calls, "
        f"{time.monotonic() - begun:.0f} s: {result.problems or 'one task a key'}\n"
    )
