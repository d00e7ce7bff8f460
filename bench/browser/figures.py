"""Figures of many measurements, and the tables they stand in."""

import statistics
from collections.abc import Sequence


def at(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def spread(values: Sequence[float], unit: float = 1000) -> list[str]:
    """Return median, 95th percentile and maximum, by default in milliseconds."""
    figures = (statistics.median(values), at(values, 0.95), max(values))
    return [f"{figure * unit:,.0f}" for figure in figures]


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [f"\n### {title}\n", "| " + " | ".join(columns) + " |"]
    lines.append("|---" + "|--:" * (len(columns) - 1) + "|")
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
