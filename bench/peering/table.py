"""One table: a figure a row, a program a column, and the studio beside the best and the goal."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.browser import figures

STUDIO = "studio"
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Row:
    """A figure: what it is called, how it is written, and what the studio is to reach."""

    key: str
    title: str
    digits: int
    goal: float | None = None

    def written(self, value: float) -> str:
        return f"{value:,.{self.digits}f}"


ROWS = (
    Row("answers", "start → first 200 of `/`, s", 2, 0.8),
    Row("ready", "start → page ready to type in, s", 2, 2.0),
    Row("first", "Enter → first visible character, first answer after the start, ms", 0),
    Row("new", "the same, new conversation, ms", 0, 80),
    Row("later", "the same, later in a conversation, ms", 0),
    Row("idle rss", "memory idle, RSS, MB", 0, 110),
    Row("idle pss", "memory idle, PSS, MB", 0),
    Row("after rss", "memory after 5 answers, RSS, MB", 0, 130),
    Row("after pss", "memory after 5 answers, PSS, MB", 0),
    Row("server cpu", "idle with a page open: server, s of processor a minute", 2),
    Row("tab cpu", "idle with a page open: tab, s of processor a minute", 2),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A program's figures, and why they are not there when they are not."""

    name: str
    heading: str
    figures: Mapping[str, Sequence[float]]
    trouble: str = ""

    def median(self, row: Row) -> float | None:
        values = self.figures.get(row.key)
        return statistics.median(values) if values else None

    def cell(self, row: Row) -> str:
        """Return the median, and between what the values lie; or why there are none."""
        median = self.median(row)
        if median is None:
            return self.trouble.partition(":")[0] or NOTHING
        values = self.figures[row.key]
        least, most = row.written(min(values)), row.written(max(values))
        return row.written(median) + (f" ({least}–{most})" if least != most else "")


def table(title: str, columns: Sequence[Column], rows: Sequence[Row] = ROWS) -> str:
    """Return the whole table in Markdown, with what troubled whom below it."""
    studio = next((one for one in columns if one.name == STUDIO), None)
    peers = [one for one in columns if one is not studio]
    beside = ("best peer", "studio ÷ best peer", "goal", "studio ÷ goal")
    lines = [
        [
            row.title,
            *(one.cell(row) for one in columns),
            *_beside(row, studio.median(row) if studio else None, peers),
        ]
        for row in rows
    ]
    headings = ("median (least–most)", *(one.heading for one in columns), *beside)
    notes = [f"\n- {one.heading} {one.trouble}" for one in columns if one.trouble]
    return figures.table(title, headings, lines) + ("\n" if notes else "") + "".join(notes)


def _beside(row: Row, studio: float | None, peers: Sequence[Column]) -> list[str]:
    """Return the best peer and the goal, each with the studio's share of it."""
    known = [(value, one.name) for one in peers if (value := one.median(row)) is not None]
    best, whose = min(known, default=(None, ""))
    return [
        NOTHING if best is None else f"{row.written(best)}, {whose}",
        _ratio(studio, best),
        NOTHING if row.goal is None else f"≤ {row.goal:g}",
        _ratio(studio, row.goal),
    ]


def _ratio(value: float | None, base: float | None) -> str:
    return NOTHING if value is None or not base else f"{value / base:.2f}"
