"""One exchange taken apart: request, reply, events, token, and the ways to run it again."""

from collections.abc import Iterator
from datetime import UTC, datetime

import streamlit as st

from core.providers.http.kept_exchange import Exchange, Headers
from core.ui.buttons import button
from core.ui.formats import duration, moment_to_the_second, size
from core.ui.live.chunks import Chunks
from core.ui.live.waiting import Waiting
from core.ui.session import text
from core.ui.xray import price
from core.ui.xray.timeline import timeline_svg
from core.ui.xray.times import short_time
from core.wire.event_frames import EventFrame, chunk_cuts, pauses
from core.wire.kling_jwt import RENEW_MARGIN_S
from core.work.xray.reading import (
    StreamFacts,
    added_by,
    clock_skew_s,
    is_stream,
    pretty,
    purpose_of,
    stream_facts,
)
from core.work.xray.recipes import as_curl, as_python, key_name
from core.work.xray.ring import Trace

_BODY_SHOWN = 20_000  # characters; the export has all that was kept
_FRAMES_SHOWN = 500
_DATA_SHOWN = 300
_LONG_PAUSE_S = 1.0
_REPLAY_PAUSE_MOST_S = 3.0
_CUT = "‖"
_REPLAYED = "xray-replayed"


def draw(trace: Trace) -> None:
    """Draw an exchange under its first line."""
    one = trace.exchange
    st.markdown(f"## {text(f'xray.purpose_{purpose_of(one)}')}")
    st.caption(_summary(one))
    facts = stream_facts(one) if is_stream(one) else None
    names = ["request", "reply", *(["events"] if facts else [])]
    line = price.line_of(one)
    names += [*(["token"] if one.bearer else []), *(["price"] if line else []), "again"]
    tabs = dict(zip(names, st.tabs([text(f"xray.tab_{name}") for name in names]), strict=True))
    with tabs["request"]:
        _draw_headers(one.request_headers)
        _draw_body(one.request_body, one.is_cut)
    with tabs["reply"]:
        _draw_headers(one.response_headers)
        if facts:
            _draw_raw(one)
        else:
            _draw_body(one.response_body, one.is_cut)
    if facts:
        with tabs["events"]:
            _draw_events(trace, facts)
    if one.bearer:
        with tabs["token"]:
            _draw_token(one)
    if line:
        with tabs["price"]:
            price.draw(line)
    with tabs["again"]:
        st.caption(text("xray.key_stands_for", name=key_name(one)))
        st.code(as_curl(one), language="bash", wrap_lines=True)
        st.code(as_python(one), language="python")


def _summary(one: Exchange) -> str:
    parts = [
        moment_to_the_second(one.began_at),
        f"{one.method} {one.status_code or '—'}",
        text("xray.took", time=short_time(one.duration_s), size=size(one.size_bytes)),
    ]
    if one.error:
        parts.append(text("xray.broke_off", error=one.error))
    if (skew := clock_skew_s(one)) is not None:
        parts.append(_skew_words(skew))
    return " · ".join(parts)


def _skew_words(skew: float) -> str:
    if abs(skew) <= 2:  # the header tells whole seconds
        return text("xray.clock_same")
    which = "xray.clock_ahead" if skew > 0 else "xray.clock_behind"
    return text(which, time=duration(abs(skew)))


def _draw_headers(headers: Headers) -> None:
    with st.expander(text("xray.headers", count=len(headers))):
        st.code("\n".join(f"{name}: {value}" for name, value in headers) or "—", language="http")


def _draw_body(body: str, is_cut: bool) -> None:
    if not body:
        st.caption(text("xray.no_body"))
        return
    shown = pretty(body)
    st.code(shown[:_BODY_SHOWN], language="json", wrap_lines=True)
    if is_cut or len(shown) > _BODY_SHOWN:
        st.caption(text("xray.body_cut"))


def _draw_raw(one: Exchange) -> None:
    st.caption(text("xray.raw_how", sign=_CUT))
    raw = one.response_body.encode()[:_BODY_SHOWN]
    pieces, start = [], 0
    for cut in chunk_cuts(one.chunks):
        if cut >= len(raw):
            break
        pieces.append(raw[start:cut].decode("utf-8", "replace"))
        start = cut
    pieces.append(raw[start:].decode("utf-8", "replace"))
    st.code(_CUT.join(pieces), language=None, wrap_lines=True, height=400)


def _draw_events(trace: Trace, facts: StreamFacts) -> None:
    one = trace.exchange
    with st.container(horizontal=True):
        st.metric(text("xray.first_byte"), short_time(one.first_byte_s))
        st.metric(text("xray.first_token"), short_time(facts.first_token_s))
        pace = "—" if facts.tokens_per_s is None else f"{facts.tokens_per_s:.0f}"
        st.metric(text("xray.tokens_per_s"), pace)
        st.metric(text("xray.keep_alives"), str(facts.keep_alives))
    long_pauses = pauses(one.chunks, longer_than_s=_LONG_PAUSE_S)
    st.image(timeline_svg(one, facts.frames, long_pauses, text("xray.timeline")), width="stretch")
    st.caption(text("xray.timeline_how"))
    _draw_replay(trace, facts.frames)
    st.dataframe(
        [_frame_row(frame) for frame in facts.frames[:_FRAMES_SHOWN]],
        hide_index=True,
        width="stretch",
        height=320,
    )
    if len(facts.frames) > _FRAMES_SHOWN:
        st.caption(text("xray.frames_cut", shown=_FRAMES_SHOWN, count=len(facts.frames)))


def _frame_row(frame: EventFrame) -> dict[str, object]:
    said = frame.data if frame.data else (f": {frame.comment}" if frame.comment else frame.other)
    return {
        text("xray.frame_at"): None if frame.at_s is None else round(frame.at_s, 3),
        text("xray.frame_size"): frame.size_bytes,
        text("xray.frame_kind"): _frame_kind(frame),
        text("xray.frame_adds"): added_by(frame),
        text("xray.frame_says"): said[:_DATA_SHOWN],
    }


def _frame_kind(frame: EventFrame) -> str:
    if frame.is_keep_alive:
        return text("xray.kind_keep_alive")
    if frame.data == "[DONE]":
        return text("xray.kind_done")
    return frame.event or text("xray.kind_event" if frame.data else "xray.kind_fields")


def _draw_replay(trace: Trace, frames: tuple[EventFrame, ...]) -> None:
    if not any(map(added_by, frames)):
        return
    button("xray.replay", "replay", f"replay-{trace.number}", _wish_replay, trace.number)
    if st.session_state.pop(_REPLAYED, None) == trace.number:
        with st.container(border=True):
            st.write_stream(Chunks(_at_its_pace(frames)))


def _wish_replay(number: int) -> None:
    st.session_state[_REPLAYED] = number


def _at_its_pace(frames: tuple[EventFrame, ...]) -> Iterator[str]:
    before, waiting = 0.0, Waiting()
    for frame in frames:
        if frame.at_s is not None:
            waiting.rest(min(max(frame.at_s - before, 0.0), _REPLAY_PAUSE_MOST_S))
            before = frame.at_s
        if added := added_by(frame):
            yield added


def _draw_token(one: Exchange) -> None:
    bearer = one.bearer
    assert bearer is not None
    claims = {name: text("xray.masked") for name in bearer.claims}
    for name, value in (("exp", bearer.expires_at), ("nbf", bearer.valid_from)):
        if value is not None:
            moment = moment_to_the_second(datetime.fromtimestamp(value, UTC))
            claims[name] = f"{value:.0f} = {moment}"
    st.code(
        f"{{alg: {bearer.algorithm}, typ: {bearer.kind}}}\n"
        + "\n".join(f"{name}: {value}" for name, value in claims.items())
        + f"\n{text('xray.signature')}: {text('xray.masked')}",
        language=None,
    )
    if bearer.expires_at is not None:
        left = bearer.expires_at - datetime.now(UTC).timestamp()
        key = "xray.token_left" if left > 0 else "xray.token_over"
        st.markdown(text(key, time=duration(abs(left))))
        st.caption(text("xray.token_again", time=duration(RENEW_MARGIN_S)))
