"""A task's way on a line: sent, asked about, fetched, and why the next one waited."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from core.ui import session
from core.ui.session import text
from core.ui.xray.times import short_time
from core.work.xray.ring import Trace
from core.work.xray.task_way import TaskStep, task_way

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _BASE = 900, 70, 14, 14, 30
_COLOURS = {
    "create": "#c84e3a",
    "poll": "#7d8a96",
    "list": "#7d8a96",
    "download": "#4d8a6a",
}
_TICKS = 6
_ROWS_MOST = 30
_STATES = ("submitted", "processing", "succeed", "succeeded", "failed")


def draw(traces: Sequence[Trace], subject: str) -> None:
    """Draw the way of the task that these exchanges (newest first) are about, if they are."""
    steps = task_way([one.exchange for one in reversed(traces)])
    if not steps:
        return
    st.markdown(f"**{text('xray.way')}**")
    generation = session.studio().store.generations.get(session.owner(), subject)
    if generation is not None:
        st.caption(text("xray.way_slots", n=generation.request.slots))
    st.image(_svg(steps, text("xray.way")), width="stretch")
    st.caption(text("xray.way_how"))
    shown = steps if len(steps) <= _ROWS_MOST else (*steps[: _ROWS_MOST - 1], steps[-1])
    st.table([_row(one) for one in shown], hide_index=True)


def _row(one: TaskStep) -> dict[str, str]:
    return {
        text("xray.way_at"): short_time(one.at_s),
        text("xray.way_what"): text(f"xray.purpose_{one.purpose}"),
        text("xray.way_said"): text(f"xray.task_{one.said}") if one.said in _STATES else one.said,
        text("xray.way_waited"): short_time(one.waited_s),
        text("xray.way_why"): text(f"xray.why_{one.why}"),
    }


def _svg(steps: Sequence[TaskStep], title: str) -> str:
    end = max(steps[-1].at_s, 1e-3)

    def x(seconds: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * seconds / end

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<path d="M{_LEFT} {_BASE}H{_WIDTH - _RIGHT}" stroke="#8a8078"/>',
    ]
    for one in steps:
        shape = f'cx="{x(one.at_s):.1f}" cy="{_BASE}" r="6"'
        parts.append(f'<circle {shape} fill="{_COLOURS.get(one.purpose, "#7d8a96")}"/>')
    for number in range(_TICKS + 1):
        seconds = end * number / _TICKS
        anchor = "start" if number == 0 else "end" if number == _TICKS else "middle"
        parts.append(
            f'<text x="{x(seconds):.1f}" y="{_BASE + 30}" font-size="13" fill="#8a8078" '
            f'font-family="sans-serif" text-anchor="{anchor}">{seconds:.3g} s</text>'
        )
    return "".join([*parts, "</svg>"])
