"""The list of exchanges: filtered, read along live, one of them chosen."""

from collections.abc import Sequence
from typing import Any, get_args
from urllib.parse import urlsplit

import streamlit as st

from core.access.owners import LOCAL_OWNER
from core.errors import AppError
from core.providers.http.kept_exchange import Exchange
from core.ui import clock, session
from core.ui.buttons import button, download
from core.ui.formats import moment_to_the_second, size
from core.ui.live.watching import redraw_page
from core.ui.session import text
from core.ui.xray import way
from core.ui.xray.times import short_time
from core.work.xray import keeping
from core.work.xray.reading import Purpose, purpose_of
from core.work.xray.recipes import as_har, as_json
from core.work.xray.ring import Trace
from core.work.xray.subjects import traces_about

SHOWN = 200
_LIVE_EVERY = "2s"
_ABOUT = "about"  # in the address: an answer or a picture, whose exchanges are meant
_KIND_KEY, _LIVE_KEY, _LIST_KEY = "xray-kind", "xray-live", "xray-list"
_CHOSEN, _DRAWN, _SHOWN = "xray-chosen", "xray-drawn", "xray-shown"
_GROUPS: dict[str, tuple[Purpose, ...]] = {
    "chat": ("answer", "title", "prompt"),
    "images": ("create", "poll", "list", "download"),
    "accounts": ("models", "balance", "costs", "other"),
}


def may_look() -> bool:
    """Tell whether this session may see what others asked, too: the owner alone."""
    return session.owner() == LOCAL_OWNER and session.is_trusted()


def may_look_now() -> bool:
    """Tell whether there is anything to look at, too."""
    return may_look() and session.studio().xray.is_on


def about(subject: str) -> dict[str, str]:
    """Return the parameters of the page's address for one answer's or picture's exchanges."""
    return {_ABOUT: subject}


def draw() -> Trace | None:
    """Draw the list; return the exchange that is chosen in it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = st.pills(
            text("xray.kind"),
            list(_GROUPS),
            format_func=lambda one: text(f"xray.group_{one}"),
            label_visibility="collapsed",
            key=_KIND_KEY,
        )
        is_live = st.toggle(text("xray.live"), key=_LIVE_KEY, help=text("xray.live_help"))
    subject = st.query_params.get(_ABOUT)
    traces = _traces(kind, subject)
    if subject is not None:
        _draw_about(subject, traces)
    if not traces and not is_live:
        st.info(text("xray.nothing_about" if subject else "xray.empty"), icon=":material/sensors:")
        return None
    chosen = _chosen(traces, subject)
    if is_live:
        st.session_state[_SHOWN] = _shown(traces, chosen)
        st.fragment(_draw_list, run_every=_LIVE_EVERY)(kind, subject, True)
    else:
        _draw_list(kind, subject, False)
    _draw_ways_out(traces)
    return chosen


def _draw_about(subject: str, traces: Sequence[Trace]) -> None:
    store, owner = session.studio().store, session.owner()
    since = keeping.kept_since(store, owner, subject)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(text("xray.about_one"))
        button("xray.show_all", "close", "xray-all", _show_all, type="tertiary")
        if since is not None:
            st.caption(text("xray.kept_at", at=moment_to_the_second(since)))
            button("xray.forget", "bookmark_remove", "xray-forget", _forget, subject)
        elif traces:
            about_it = text("xray.keep_help")
            button("xray.keep", "bookmark_add", "xray-keep", _keep, subject, traces, help=about_it)
    way.draw(traces, subject)


def _keep(subject: str, traces: Sequence[Trace]) -> None:
    exchanges = [one.exchange for one in reversed(traces)]
    try:
        keeping.keep(session.studio().store, session.owner(), subject, exchanges)
    except AppError as error:
        session.state().notice = session.error_text(error)


def _forget(subject: str) -> None:
    keeping.forget(session.studio().store, session.owner(), subject)


def _show_all() -> None:
    st.query_params.pop(_ABOUT, None)


def _traces(kind: str | None, subject: str | None) -> tuple[Trace, ...]:
    traces = traces_about(session.studio(), session.owner(), subject)
    wanted = _GROUPS.get(kind or "", get_args(Purpose))
    return tuple(one for one in traces if purpose_of(one.head) in wanted)[:SHOWN]


def _draw_list(kind: str | None, subject: str | None, is_live: bool) -> None:
    traces = _traces(kind, subject)
    chosen = _chosen(traces, subject)
    if is_live and st.session_state.get(_SHOWN) != _shown(traces, chosen):
        redraw_page()  # what is below is about what was shown, and chosen
    numbers = [one.number for one in traces]
    key = _key(subject, numbers)
    number = st.session_state.get(f"{_CHOSEN}-{subject}")
    if key not in st.session_state and number in numbers:
        st.session_state[key] = {"selection": {"rows": [numbers.index(number)]}}
    st.session_state[f"{_DRAWN}-{subject}"] = numbers
    st.dataframe(
        [_row(one) for one in traces],
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        key=key,
    )


def _key(subject: str | None, numbers: Sequence[int]) -> str:
    # Another list: a choice by its row would be of something else.
    return f"{_LIST_KEY}-{subject}-{hash(str(numbers))}"


def _row(trace: Trace) -> dict[str, Any]:
    one = trace.head
    return {
        text("xray.head_at"): one.began_at.astimezone(clock.zone()).strftime("%H:%M:%S"),
        text("xray.head_what"): text(f"xray.purpose_{purpose_of(one)}"),
        text("xray.head_status"): one.error or str(one.status_code or "—"),
        text("xray.head_first"): short_time(one.first_byte_s),
        text("xray.head_duration"): short_time(one.duration_s),
        text("xray.head_size"): size(one.size_bytes),
        text("xray.head_request"): f"{one.method} {urlsplit(one.url).path}",
    }


def _shown(traces: Sequence[Trace], chosen: Trace | None) -> tuple[list[int], int | None]:
    return [one.number for one in traces], chosen.number if chosen is not None else None


def _chosen(traces: Sequence[Trace], subject: str | None) -> Trace | None:
    """Return the exchange that was chosen, also in an earlier list, or else the newest.

    A row is of the list that was drawn when it was chosen; others may have come since. What another
    list lacks stays chosen meanwhile. Exchanges that are kept about a subject have numbers of their
    own.
    """
    state, name = st.session_state, f"{_CHOSEN}-{subject}"
    drawn = state.get(f"{_DRAWN}-{subject}", [])
    if (told := state.get(_key(subject, drawn))) is not None:
        rows = [row for row in told["selection"]["rows"] if row < len(drawn)]
        if rows:
            state[name] = drawn[rows[0]]
        elif state.get(name) in drawn:
            state[name] = None
    at = {one.number: one for one in traces}
    return at.get(state.get(name) or 0, traces[0] if traces else None)


def _draw_ways_out(traces: Sequence[Trace]) -> None:

    def exchanges() -> list[Exchange]:
        return [one.exchange for one in reversed(traces)]

    stamp = clock.today()
    with st.container(horizontal=True):
        name = f"inkling-xray-{stamp}"
        har, own = (lambda: as_har(exchanges())), (lambda: as_json(exchanges()))
        download("xray.har", "xray-har", har, f"{name}.har", "application/json")
        download("xray.json", "xray-json", own, f"{name}.json", "application/json")
        button("xray.clear", "delete_sweep", "xray-clear", session.studio().xray.ring.clear)
