"""What the gallery shows: words of the prompt, state, model, ratio, days."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypedDict, cast, get_args

import streamlit as st

from core.models.generations import AspectRatio, GenerationStatus
from core.models.kinds import model_title as title_of
from core.models.kling_catalogue import ALL_RATIOS
from core.ui import clock, pager, session
from core.ui.buttons import button, telling_errors
from core.ui.generations.kinds import table
from core.ui.placeholders import ratio_label
from core.ui.session import text

Kind = Literal["pictures", "favourites", "open", "failed", "refused", "cancelled"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Kinds of tasks that have no pictures, or not all of them yet.
TASK_KINDS: dict[Kind, frozenset[GenerationStatus]] = {
    "open": frozenset(status for status in GenerationStatus if not status.is_final),
    "failed": frozenset({GenerationStatus.FAILED}),
    "refused": frozenset({GenerationStatus.REFUSED}),
    "cancelled": frozenset({GenerationStatus.CANCELLED}),
}

_KEYS = {
    "kind": "gallery-kind",
    "words": "gallery-words",
    "model": "gallery-model",
    "ratio": "gallery-ratio",
    "days": "gallery-days",
    "way": "gallery-way",
}


class GalleryQuery(TypedDict):
    """What the store's lists of pictures and of tasks are both asked."""

    text: str
    model: str | None
    ratio: str | None
    kind: str | None
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Filters:
    """The choice in force; None and the empty text leave everything in."""

    kind: Kind
    words: str = ""
    model: str | None = None
    ratio: AspectRatio | None = None
    since: datetime | None = None
    until: datetime | None = None
    way: str | None = None  # the kind of request

    @property
    def narrowed(self) -> int:
        """How many of them leave something out, the words and the kind not counted."""
        return sum(value is not None for value in (self.model, self.ratio, self.since, self.way))

    @property
    def asked(self) -> GalleryQuery:
        """The choice in the store's words."""
        return {
            "text": self.words,
            "model": self.model,
            "ratio": self.ratio,
            "kind": self.way,
            "since": self.since,
            "until": self.until,
        }


def draw() -> Filters:
    """Draw the filters; a change leads back to the first page."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text_input(
            text("gallery.search"),
            placeholder=text("gallery.search"),
            label_visibility="collapsed",
            icon=":material/search:",
            type="search",
            live=True,  # after a pause of 250 ms; another pause would load pandas
            key=_KEYS["words"],
            on_change=_changed,
            persist_state="session",
        )
        narrowed = _chosen().narrowed
        label = text("gallery.filters")
        with st.popover(
            f"{label} · {narrowed}" if narrowed else label,
            icon=":material/tune:",
            key="gallery-filters",
        ):
            _draw_more()
    st.pills(
        text("gallery.kind"),
        KINDS,
        default="pictures",
        required=True,
        format_func=lambda kind: text(f"gallery.kind_{kind}"),
        label_visibility="collapsed",
        wrap=True,
        key=_KEYS["kind"],
        on_change=_changed,
        persist_state="session",
    )
    return _chosen()


def clear() -> None:
    """Leave nothing out any more, whatever its state."""
    for name in ("words", "model", "ratio", "days", "way"):
        st.session_state[_KEYS[name]] = {"words": "", "days": ()}.get(name)
    _changed()


def _draw_more() -> None:
    st.pills(
        text("images.way"),
        list(table.FORMS),
        format_func=table.label,
        wrap=True,
        key=_KEYS["way"],
        on_change=_changed,
        persist_state="session",
    )
    models: tuple[str, ...] = ()
    with telling_errors():
        models = tuple(session.studio().store.generation_lists.models(session.owner()))
    chosen = st.session_state.get(_KEYS["model"])
    st.selectbox(
        text("images.model"),
        sorted({*models, *filter(None, [chosen])}),
        index=None,
        format_func=model_title,
        placeholder=text("gallery.any"),
        key=_KEYS["model"],
        on_change=_changed,
        persist_state="session",
    )
    st.pills(
        text("images.ratio"),
        ALL_RATIOS,
        format_func=ratio_label,
        wrap=True,
        key=_KEYS["ratio"],
        on_change=_changed,
        persist_state="session",
    )
    st.date_input(
        text("gallery.days"),
        value=[],
        format="YYYY-MM-DD",
        key=_KEYS["days"],
        on_change=_changed,
        persist_state="session",
    )
    button("gallery.clear", "filter_alt_off", "gallery-clear", clear, width="stretch")


def draw_why_empty(filters: Filters) -> bool:
    """Offer a way out where the page left behind or the filters leave nothing; False if neither."""
    if pager.cursor("tasks") is not None:
        st.caption(text("gallery.page_empty"), width="content")
        st.button(
            text("gallery.first_page"),
            key="gallery-first",
            on_click=pager.begin_again,
            args=("tasks",),
        )
        return True
    if filters.words or filters.narrowed:
        st.caption(text("gallery.nothing_found"), width="content")
        button("gallery.clear", "filter_alt_off", "gallery-clear-empty", clear)
        return True
    return False


def model_title(name: str) -> str:
    """Return a model's title and name; the name alone when this version does not know it."""
    title = title_of(name)
    return f"{title} · {name}" if title else name


def _chosen() -> Filters:
    days = cast("tuple[date, ...]", st.session_state.get(_KEYS["days"]) or ())
    return Filters(
        kind=cast(Kind, st.session_state.get(_KEYS["kind"]) or "pictures"),
        words=(st.session_state.get(_KEYS["words"]) or "").strip(),
        model=st.session_state.get(_KEYS["model"]),
        ratio=st.session_state.get(_KEYS["ratio"]),
        since=clock.day_begins(days[0]) if days else None,
        way=st.session_state.get(_KEYS["way"]),
        until=clock.day_begins(days[-1] + timedelta(days=1)) if days else None,
    )


def _changed() -> None:
    pager.begin_again("tasks")
    session.state().gallery_page = 1
