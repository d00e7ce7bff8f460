"""Shows one generation: its words, where it stands, its pictures or why there are none."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import streamlit as st
from PIL import Image

from core.errors import AppError
from core.models.generations import Generation, GenerationStatus, Picture
from core.models.kling_catalogue import find_image_model
from core.texts import catalogue
from core.ui import clock, session
from core.ui.buttons import button, download, keeping_errors
from core.ui.formats import duration, file_words, moment
from core.ui.placeholders import placeholder, ratio_size
from core.ui.session import text
from core.work.generations.transitions import UNREADABLE_TEXT_ID

PROMPT_SHOWN = 300
COLUMNS_MOST = 3
_RUNNING = frozenset({GenerationStatus.SUBMITTED, GenerationStatus.PROCESSING})
_GOES_ON: dict[GenerationStatus, str] = {
    GenerationStatus.INTENDED: "images.is_sent_later",
    GenerationStatus.UNCERTAIN: "images.is_looked_up",
    GenerationStatus.SUBMITTED: "images.is_looked_up",
    GenerationStatus.PROCESSING: "images.is_looked_up",
    GenerationStatus.SUCCEEDED: "images.is_fetched",
}
_Colour = Literal["gray", "orange", "blue", "green", "red"]
_BADGES: dict[GenerationStatus, tuple[str, _Colour]] = {
    GenerationStatus.INTENDED: (":material/schedule:", "gray"),
    GenerationStatus.UNCERTAIN: (":material/help:", "orange"),
    GenerationStatus.SUBMITTED: (":material/hourglass_top:", "blue"),
    GenerationStatus.PROCESSING: (":material/brush:", "blue"),
    GenerationStatus.SUCCEEDED: (":material/download:", "green"),
    GenerationStatus.ARCHIVED: (":material/check_circle:", "green"),
    GenerationStatus.FAILED: (":material/error:", "red"),
    GenerationStatus.REFUSED: (":material/block:", "red"),
    GenerationStatus.CANCELLED: (":material/cancel:", "gray"),
}


def draw(generation: Generation, *, more: Callable[[Generation], None] | None = None) -> None:
    """Draw one generation as a card, with `more` at its end."""
    with st.container(border=True):
        words = generation.request.prompt
        st.text(words if len(words) <= PROMPT_SHOWN else words[:PROMPT_SHOWN] + "…")
        _draw_state(generation)
        _draw_pictures(generation)
        _draw_reason(generation)
        _draw_actions(generation)
        if more is not None:
            more(generation)


def _draw_state(generation: Generation) -> None:
    icon, colour = _BADGES[generation.status]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.badge(state_text(generation), icon=icon, color=colour)
        if generation.provider == "practice":
            st.badge(text("practice.badge"), color="gray")
        st.caption(_parameters(generation))
    if generation.status in _RUNNING:
        st.caption(_time_left(generation))


def state_text(generation: Generation) -> str:
    """Return where a generation stands, with the time so far while it runs."""
    status = generation.status
    if status is GenerationStatus.INTENDED and generation.sending_at is not None:
        return text("images.state_sending")
    label = text(f"images.state_{status}")
    if status.is_final or status is GenerationStatus.INTENDED:
        return label
    since = generation.submitted_at or generation.created_at
    elapsed = max(0.0, (datetime.now(UTC) - since).total_seconds())
    return f"{label} · {duration(elapsed)}"


def _time_left(generation: Generation) -> str:
    """Return how long such tasks take here, as a range; or that too few have finished to tell."""
    try:
        usual = session.studio().generations.estimate(generation.owner, generation.request)
    except AppError:
        usual = None
    if usual is None:
        return text("images.no_estimate")
    return text(
        "images.estimate",
        median=duration(usual.median_s),
        p90=duration(usual.p90_s),
        samples=usual.samples,
    )


def _parameters(generation: Generation) -> str:
    request = generation.request
    model = find_image_model(request.model_name)
    parts = [
        model.title if model else request.model_name,
        request.aspect_ratio,
        request.resolution.upper(),
        text("images.count_pictures", n=request.n),
        moment(generation.created_at),
    ]
    if not request.model_name:  # recovered: Kling does not tell these
        parts[:3] = [text("gallery.prompt_unknown")]
    return " · ".join(filter(None, parts))


def _draw_pictures(generation: Generation) -> None:
    by_index = {picture.index: picture for picture in generation.pictures}
    if generation.status.is_final and not by_index:
        return
    count = max(generation.request.n, len(by_index))
    columns = st.columns(2 if count == 4 else min(count, COLUMNS_MOST))
    for index in range(count):
        with columns[index % len(columns)]:
            picture = by_index.get(index)
            if picture is not None:
                _draw_picture(generation, picture)
            elif not generation.status.is_final:
                width, height = ratio_size(generation.request.aspect_ratio, 360)
                st.image(
                    placeholder(width, height), width="stretch", alt=text("images.placeholder_alt")
                )


def _draw_picture(generation: Generation, picture: Picture) -> None:
    studio = session.studio()
    try:
        st.image(
            thumbnail(picture.name),
            width="stretch",
            alt=text(
                "images.alt", number=picture.index + 1, prompt=generation.request.prompt[:200]
            ),
        )
    except AppError as error:
        session.show_error(error)
        return
    download(
        "images.download",
        f"download-{picture.id}",
        lambda: studio.archive.download_bytes(picture, generation),
        file_name(generation, picture),
        picture.media_type,
        type="tertiary",
    )


@st.cache_data(max_entries=300, show_spinner=False)
def thumbnail(name: str) -> bytes:
    """Return the light version of an archived picture, as st.image passes it on unchanged.

    WebP it would decode and encode again each time it is drawn.
    """
    with Image.open(io.BytesIO(session.studio().archive.thumbnail_bytes(name))) as image:
        return _encoded(image)


def _encoded(image: Image.Image) -> bytes:
    target = io.BytesIO()
    if image.has_transparency_data:
        image.save(target, "PNG")
    else:
        image.convert("RGB").save(target, "JPEG", quality=85)
    return target.getvalue()


def file_name(generation: Generation, picture: Picture) -> str:
    """Return a telling name for a downloaded picture: when, what, which of them."""
    words = file_words(generation.request.prompt)
    suffix = picture.name.rpartition(".")[2]
    stamp = clock.stamp(generation.created_at, clock.zone())
    return f"{stamp}-{words}-{picture.index + 1}.{suffix}"


def _draw_reason(generation: Generation) -> None:
    if generation.status in (GenerationStatus.FAILED, GenerationStatus.REFUSED):
        sentence = catalogue.sentence(
            session.language(), generation.error_text_id or "", generation.error_facts
        )
        session.draw_error(sentence or text("error.unexpected"), generation.error_detail)
    elif generation.status is GenerationStatus.ARCHIVED and generation.error_text_id is not None:
        remark = catalogue.sentence(
            session.language(), generation.error_text_id, generation.error_facts
        )
        st.caption(remark or generation.error_text_id)
    elif _lacks_its_key(generation):
        st.warning(text("images.key_missing"), icon=":material/key_off:")
    elif not generation.status.is_final and (reason := _held_up_by(generation)) is not None:
        st.warning(f"{reason} {text(_GOES_ON[generation.status])}", icon=":material/info:")


def _held_up_by(generation: Generation) -> str | None:
    """Say why a task waits; what it does about it by itself is said behind that."""
    studio = session.studio()
    if (blocking_error := studio.generations.blocking_error(generation.id)) is not None:
        waiting = catalogue.waiting_sentence(
            session.language(), blocking_error.text_id, blocking_error.facts
        )
        return waiting or session.error_text(blocking_error)
    try:
        busy = studio.generations.refusal_for_now(generation)
    except AppError:
        return None
    if busy is None:
        return None
    return catalogue.waiting_sentence(session.language(), busy.text_id, busy.facts)


def _lacks_its_key(generation: Generation) -> bool:
    """Tell whether a task waits for a key that was taken out of the settings."""
    is_open = not generation.status.is_final
    return is_open and generation.provider == "kling" and session.image_mode() != "live"


def _draw_actions(generation: Generation) -> None:
    if generation.error_text_id == UNREADABLE_TEXT_ID:
        key = f"fetch-{generation.id}"
        button("images.fetch_again", "refresh", key, _fetch_again, generation.id)
    if generation.status is GenerationStatus.INTENDED and generation.sending_at is None:
        button("images.cancel", "close", f"cancel-{generation.id}", _cancel, generation.id)


@keeping_errors("image_error")
def _fetch_again(generation_id: str) -> None:
    session.studio().generations.fetch_again(session.owner(), generation_id)


@keeping_errors("image_error")
def _cancel(generation_id: str) -> None:
    if not session.studio().generations.cancel(session.owner(), generation_id):
        session.state().notice = text("images.cancel_too_late")
