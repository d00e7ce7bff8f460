"""What is measured: a row of streams, and what one run of it showed."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """So many streams at once, of so many chunks, at that pace; and that so many times in a row.

    Before them come as many chunks of thinking as `thinking` says, which /stream tells nobody.
    """

    streams: int
    chunks: int
    pause_ms: int = 0
    rounds: int = 3
    in_a_row: int = 1
    thinking: int = 0

    @property
    def name(self) -> str:
        pace = f"every {self.pause_ms} ms" if self.pause_ms else "full speed"
        times = f", {self.in_a_row} in a row" if self.in_a_row > 1 else ""
        thinking = f" behind {self.thinking} of thinking" if self.thinking else ""
        return f"{self.streams} × {self.chunks}{thinking}, {pace}{times}"


@dataclass
class Round:
    """What one run over one target showed."""

    wall_s: float = 0.0
    first_s: list[float] = field(default_factory=list)
    delays_us: list[int] = field(default_factory=list)
    events: int = 0
    cpu_s: float = 0.0
    peak_mb: float = 0.0


def quantile(values: list[int], share: float) -> float:
    """Return in milliseconds what this share of the microseconds does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000
