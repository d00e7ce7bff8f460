"""What the practice voices have said, and what Kling's was charged for it."""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from core.models.money.amounts import plain
from core.practice.clock import PracticeClock
from core.settings.private_files import private
from core.wire.audio import seconds_of

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class SpeechCharge:
    """One text that was said; `price` is None where nobody charges for it."""

    by: str
    model: str
    task_id: str
    characters: int
    seconds: float
    at_ms: int
    price: Decimal | None = None

    def as_json(self) -> dict[str, object]:
        """Return it with JSON's own types."""
        return {
            "by": self.by,
            "model": self.model,
            "task_id": self.task_id,
            "characters": self.characters,
            "seconds": round(self.seconds, 3),
            "at_ms": self.at_ms,
            "amount": None if self.price is None else plain(self.price),
        }


class SpeechBook:
    """Keeps the newest; from any thread."""

    def __init__(self, clock: PracticeClock, journal: Path | None = None) -> None:
        self._clock = clock
        self._journal = journal
        self._lock = threading.Lock()
        self._lines: list[SpeechCharge] = _read(journal)

    def now(self) -> float:
        """Return the book's time in Unix seconds."""
        return self._clock.now()

    def add(
        self,
        by: str,
        model: str,
        text: str,
        pcm: bytes,
        *,
        task_id: str = "",
        price: Decimal | None = None,
    ) -> None:
        """Write down what was said."""
        at_ms = int(self._clock.now() * 1000)
        line = SpeechCharge(by, model, task_id, len(text), seconds_of(len(pcm)), at_ms, price)
        with self._lock:
            self._lines = [*self._lines[-_KEPT:], line]
            if self._journal is not None and price is not None:
                with suppress(OSError), open(self._journal, "ab", opener=private) as file:
                    file.write(json.dumps(line.as_json()).encode() + b"\n")

    def lines(self) -> tuple[SpeechCharge, ...]:
        """Return what was said so far, oldest first."""
        with self._lock:
            return tuple(self._lines)


def _read(journal: Path | None) -> list[SpeechCharge]:
    """Return what an earlier server charged: an account's books outlive it."""
    lines: list[SpeechCharge] = []
    if journal is None:
        return lines
    with suppress(OSError):
        for text in journal.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError, TypeError, ArithmeticError):
                fields = json.loads(text)
                price = Decimal(fields.pop("amount"))
                lines.append(SpeechCharge(**fields, price=price))
    return lines[-_KEPT:]
