"""体检 Check-up: one button, findings as they come, a report to paste, what a code means."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Literal

import streamlit as st

from core.access.callers import LOCAL, Verdict
from core.markdown.escaping import literal
from core.ui import reachable, session
from core.ui.buttons import button
from core.ui.frame import page_files
from core.ui.live.watching import redraw_page
from core.ui.session import text
from core.work.checkup.finding import Finding, Level, gravest_first
from core.work.checkup.front import TRIES, judge_beats
from core.work.checkup.house import look_at_caller
from core.work.checkup.live import CheckupRun
from core.work.checkup.report import as_text

_KEY, _RUN_KEY, _COUNT_KEY = "checkup-found", "checkup-run-followed", "checkup-count"
_LOOK_S = 0.25
_LEVELS: tuple[Level, ...] = ("fault", "warning", "note", "good")
_Look = tuple[Literal["red", "orange", "blue", "green"], str]
_LOOKS: dict[Level, _Look] = {
    "fault": ("red", ":material/error:"),
    "warning": ("orange", ":material/warning:"),
    "note": ("blue", ":material/info:"),
    "good": ("green", ":material/check_circle:"),
}


def draw() -> None:
    """Draw the button, and what the latest check-up of this session found."""
    with st.container(border=True):
        st.markdown(f"**{text('checkup.title')}**")
        st.caption(text("checkup.what"))
        button("checkup.run", "stethoscope", "checkup-run", _begin)
        run: CheckupRun | None = st.session_state.get(_RUN_KEY)
        if run is not None and run.has_ended:
            st.session_state[_KEY] = [*run.findings, *_caller()]
            st.session_state[_COUNT_KEY] = st.session_state.get(_COUNT_KEY, 0) + 1
            del st.session_state[_RUN_KEY]
        elif run is not None:
            _follow(run)
            return
        found: list[Finding] | None = st.session_state.get(_KEY)
        if found is None:
            return
        beats, is_awaited = _beats()
        if beats is not None:
            found = [*found, beats]
        _draw_summary(found, is_whole=not is_awaited)
        for one in gravest_first(found):
            if one.level != "good":
                _draw_one(one)
        good = [one for one in found if one.level == "good"]
        if good:
            with st.expander(text("checkup.sum_good", count=len(good)), key="checkup-good"):
                for one in good:
                    _draw_one(one)
        with st.expander(text("checkup.copy"), icon=":material/content_copy:"):
            told = as_text(found, session.language(), datetime.now(UTC))
            st.code(told, language=None, wrap_lines=True, height=300)


def _begin() -> None:
    st.session_state[_RUN_KEY] = session.studio().checkups.start()


def _follow(run: CheckupRun) -> None:
    """Show what a check-up finds while it goes on."""

    @st.fragment(run_every=_LOOK_S)
    def look() -> None:
        st.markdown(f":shimmer[{text('checkup.running')}]")
        for one in run.findings:
            _draw_line(one)
        if run.has_ended:
            redraw_page()

    look()


def _caller() -> Iterable[Finding]:
    """Return as whom this session came in."""
    visitor = session.visitor()
    headers = {name.lower(): "" for name in st.context.headers}
    is_here = visitor.standing == "here"
    verdict = Verdict(LOCAL) if is_here else visitor.verdict or Verdict(visitor.standing)
    return look_at_caller(verdict, headers)


def _beats() -> tuple[Finding | None, bool]:
    """Return how a stream comes through to this browser, and whether that is still awaited."""
    judged = None
    for number in range(TRIES if reachable.is_http_served() else 0):
        key = f"checkup-beats-{st.session_state.get(_COUNT_KEY, 0)}-{number}"
        told = page_files.component("beats")(key=key, on_arrivals_change=_nothing).arrivals
        if told is None:
            return None, True
        if not isinstance(told, list):  # it was not let through this time
            break
        judged = judge_beats([float(one) for one in told if isinstance(one, int | float)])
        if judged.level == "good":
            break
    return judged, False


def _nothing() -> None:
    """Let the page be drawn anew: what the component told is in its state."""


def _draw_summary(found: list[Finding], *, is_whole: bool) -> None:
    counts = Counter(one.level for one in found)
    with st.container(horizontal=True):
        for level in _LEVELS:
            if counts[level]:
                colour, icon = _LOOKS[level]
                st.badge(text(f"checkup.sum_{level}", count=counts[level]), color=colour, icon=icon)
    if is_whole and not counts["fault"] and not counts["warning"]:
        st.caption(text("checkup.all_good"))


def _draw_line(one: Finding) -> None:
    colour, icon = _LOOKS[one.level]
    st.markdown(f":{colour}[{icon}] {_marked(one.what)}")


def _draw_one(one: Finding) -> None:
    with st.container(gap="xxsmall"):
        _draw_line(one)
        if why := _marked(one.why):
            st.caption(why)
        if cure := _marked(one.cure):
            st.markdown(text("checkup.do", words=cure))


def _marked(told: Callable[..., str]) -> str:
    """Return a sentence as Markdown in which only our own code marks stay."""
    pieces = told(session.language()).split("`")
    return "`".join(piece if at % 2 else literal(piece) for at, piece in enumerate(pieces))
