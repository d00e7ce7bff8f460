"""Check-ups of the running studio: one at a time, followed by whoever asked for one meanwhile."""

import threading
from collections.abc import Callable, Iterator, Mapping

from core.archive.archive import Archive
from core.settings import Settings
from core.work.checkup.asked import Asked
from core.work.checkup.finding import Finding
from core.work.checkup.run import run_checkup
from core.work.loop import LoopThread


class CheckupRun:
    """One check-up that is under way, or over."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._has_ended = False
        self._changed = threading.Condition()

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will be found."""
        return self._has_ended

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found so far."""
        with self._changed:
            return tuple(self._findings)

    def add(self, finding: Finding) -> None:
        """Note what was found."""
        with self._changed:
            self._findings.append(finding)
            self._changed.notify_all()

    def end(self) -> None:
        """Note that it is over."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def follow(self) -> Iterator[Finding]:
        """Yield all findings from the first on, each as soon as it is there; blocking."""
        at = 0
        while True:
            with self._changed:
                while len(self._findings) == at and not self._has_ended:
                    self._changed.wait()
                new, ended = self._findings[at:], self._has_ended
            yield from new
            at += len(new)
            if ended:
                return


class Checkups:
    """Starts check-ups on the studio's loop."""

    def __init__(
        self,
        loop: LoopThread,
        settings: Callable[[], Settings],
        archive: Archive,
        environment: Mapping[str, str],
    ) -> None:
        self._loop = loop
        self._settings = settings
        self._archive = archive
        self._environment = environment
        self._lock = threading.Lock()
        self._latest: CheckupRun | None = None

    def start(self) -> CheckupRun:
        """Return the check-up that is under way, else a new one: Kling is asked once a second."""
        with self._lock:
            if self._latest is None or self._latest.has_ended:
                self._latest = CheckupRun()
                self._loop.spawn(self._run(self._latest), name="checkup")
            return self._latest

    async def _run(self, run: CheckupRun) -> None:
        try:
            asked = Asked(self._settings(), environment=self._environment, archive=self._archive)
            async for finding in run_checkup(asked):
                run.add(finding)
        finally:
            run.end()
