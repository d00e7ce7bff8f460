"""Lengths of time as a wire has them: milliseconds, then seconds."""

from core.ui.formats import duration
from core.ui.session import text


def short_time(seconds: float | None) -> str:
    """Return a length of time such as `38 ms` or `6.6 s`; a dash where it is not known."""
    if seconds is None:
        return "—"
    return (
        text("format.milliseconds", n=f"{1000 * seconds:.0f}") if seconds < 1 else duration(seconds)
    )
