"""One process of the app without its pages: makes pictures until all are there, or until it dies.

    python -m tests.crash.runner '{"data_dir": …, "origin": …, "intents": [1, 4], "die_at": …}'

`die_at` names a step, as `move-submitted/after`: there the process kills itself with SIGKILL.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

from core.access.owners import LOCAL_OWNER
from core.models.speech import SpeechRequest
from core.settings import KlingSettings, Secret, Settings
from core.work.studio import Studio
from tests.crash.kinds import asked
from tests.crash.workshop import QUICK

LONGEST_S = 180.0


def main() -> int:
    """Run as told by the first argument; 0 when nothing is open any more."""
    told = json.loads(sys.argv[1])
    url = told.get("database_url")
    settings = Settings(
        data_dir=Path(told["data_dir"]),
        chat=None,
        kling=KlingSettings(origin=told["origin"], api_key=Secret(told.get("key", "one-account")))
        if told.get("origin")
        else KlingSettings(),
        database_url=Secret(url) if url else None,
    )
    # A process that stalls between a row and its POST loses a short lease, and so the row.
    lease_s = float(told.get("lease_s", QUICK.lease_s))
    studio = Studio.open(settings, timings=replace(QUICK, lease_s=lease_s))
    _die_at(studio, told.get("die_at", ""))
    sys.stdout.write("open\n")
    sys.stdout.flush()
    kinds = told.get("kinds") or ["image"] * len(told.get("intents", []))
    for number, n in enumerate(told.get("intents", [])):
        # The same wish under the same key: a run that is begun again makes no second one.
        request, references = asked(kinds[number], f"{told.get('prompt', 'a hill')} {number}", n)
        studio.generations.request(
            LOCAL_OWNER,
            request,
            references=references,
            idempotency_key=f"{told.get('key', '')}-{number}",
        )
    for number, words in enumerate(told.get("speech", [])):
        request = SpeechRequest(words, voice_id="ai_kaiya")
        studio.generations.request(LOCAL_OWNER, request, idempotency_key=f"-{number}")
    deadline = time.monotonic() + told.get("longest_s", LONGEST_S)
    beat = threading.Event()  # libfaketime has no monotonic sleep
    while _is_busy(studio) or told.get("stays"):
        if time.monotonic() > deadline:
            return 3
        beat.wait(0.02)
    studio.close()
    return 0


def _is_busy(studio: Studio) -> bool:
    counts = studio.store.generation_lists.counts()  # of every kind: lists leave speech out
    return any(count for status, count in counts.items() if not status.is_final)


def _die_at(studio: Studio, step: str) -> None:
    name, _, when = step.partition("/")
    part, _, method = name.rpartition(".")
    owner: Any = getattr(studio.store, part or "generations")
    if name == "adopt":
        owner = studio.archive
    elif name.startswith("move-"):
        method = "move"
    if not method:
        return
    wanted = name.removeprefix("move-") if method == "move" else None
    setattr(owner, method, _deadly(getattr(owner, method), when, wanted))


def _deadly(step: Callable[..., Any], when: str, to: str | None) -> Callable[..., Any]:
    @wraps(step)
    def call(*arguments: Any, **named: Any) -> Any:
        if to is not None and named.get("to") != to:
            return step(*arguments, **named)
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = step(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call


if __name__ == "__main__":
    sys.exit(main())
