"""One picture, large: the original, how it was made, what became of its task, what can be done."""

from collections.abc import Sequence

import streamlit as st

from core.errors import AppError
from core.markdown.escaping import literal
from core.models.generations import Generation, ImageRequest, Picture
from core.storage.generations.gallery import GalleryPicture
from core.ui import session
from core.ui.drawing import origin
from core.ui.formats import duration, moment, size
from core.ui.frame import copying
from core.ui.gallery import actions
from core.ui.gallery.filters import model_title
from core.ui.gallery.large import address
from core.ui.gallery.large.task_history import draw_task_history
from core.ui.generations.kinds import table
from core.ui.money.words import line_words
from core.ui.placeholders import ratio_words
from core.ui.session import text


def draw(shown: Sequence[GalleryPicture]) -> None:
    """Draw the opened picture in a dialog; `shown` are those one can leaf through."""
    if address.opened() is None:
        return
    picture_ids = [item.picture.id for item in shown]

    @st.dialog(text("gallery.view"), width="large", on_dismiss=address.close)
    def dialog() -> None:
        item, opened = None, address.opened()
        if opened is not None:
            item = session.studio().store.gallery.get(session.owner(), opened)
        if item is None:
            address.leave()
            st.rerun()
        known = session.state()
        if known.error is not None:
            session.show_error(known.error)
            known.error = None
        _draw_steps(item.picture.id, picture_ids)
        left, right = st.columns([3, 2], gap="medium")
        with left, st.container(key="large-picture"):
            _draw_original(item)
            st.caption(text("gallery.zoom_hint"))
        with right:
            actions.draw_all(item)
            origin.draw(item.generation)
            _draw_facts(item)
            draw_task_history(item.generation)

    dialog()


def _draw_steps(picture_id: str, picture_ids: list[str]) -> None:
    if picture_id not in picture_ids:
        return
    at = picture_ids.index(picture_id)
    before = picture_ids[at - 1] if at else None
    behind = picture_ids[at + 1] if at + 1 < len(picture_ids) else None
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        wrap=False,
    ):
        _draw_step("gallery.step_back", "Left", before)
        st.caption(text("gallery.place", number=at + 1, count=len(picture_ids)), width="content")
        _draw_step("gallery.step_on", "Right", behind)


def _draw_step(label: str, shortcut: str, picture_id: str | None) -> None:
    # Which picture comes next is told by a class: the script changes the address before the step.
    with st.container(key=f"to-{shortcut}-{picture_id or ''}", width="content"):
        st.button(
            text(label),
            type="tertiary",
            disabled=picture_id is None,
            shortcut=shortcut,
            key=f"step-{shortcut}",
            on_click=address.open_picture,
            args=(picture_id,),
        )


def _draw_original(item: GalleryPicture) -> None:
    picture = item.picture
    try:
        content = session.studio().archive.original_bytes(picture.name)
    except AppError as error:
        session.show_error(error)
        return
    # Its own width and format named, st.image passes the bytes on; else it would shrink them.
    st.image(
        content,
        width=picture.width,
        output_format="PNG" if picture.media_type == "image/png" else "JPEG",
        alt=actions.named(item),
    )


def _draw_facts(item: GalleryPicture) -> None:
    generation, request = item.generation, item.generation.request
    if request.prompt:
        copying.draw_box(request.prompt, text("copy.prompt"))
    elif not request.model_name:
        st.info(text("gallery.prompt_unknown_why"), icon=":material/help:")
    if isinstance(request, ImageRequest) and request.negative_prompt:
        st.caption(text("images.negative"))
        copying.draw_box(request.negative_prompt, text("copy.negative"))
    with st.grid("auto", min_column_width=150, gap=("xsmall", "small")) as grid:
        for label, value in _facts(item.picture, generation):
            with grid.cell(), st.container(gap=None):
                st.caption(label)
                st.markdown(literal(value))


def _facts(picture: Picture, generation: Generation) -> list[tuple[str, str]]:
    request = generation.request
    unknown = text("gallery.unknown")
    is_known_request = bool(
        request.model_name
    )  # Kling does not tell it of a task that was recovered
    facts = [
        (text("images.way"), table.label(request.kind) if request.kind in table.FORMS else unknown),
        (text("images.model"), model_title(request.model_name) if is_known_request else unknown),
        (text("images.ratio"), ratio_words(request.aspect_ratio) if is_known_request else unknown),
        (text("images.resolution"), request.resolution.upper() if is_known_request else unknown),
        (text("gallery.pixels"), f"{picture.width} × {picture.height}"),
        (text("gallery.file_size"), size(picture.size_bytes)),
        (text("gallery.number"), f"{picture.index + 1} / {max(request.n, picture.index + 1)}"),
        (text("gallery.asked_at"), moment(generation.created_at)),
        (text("money.head_amount"), _cost(generation)),
    ]
    if generation.submitted_at is not None and generation.finished_at is not None:
        took_s = (generation.finished_at - generation.submitted_at).total_seconds()
        facts.append((text("gallery.took"), duration(max(0.0, took_s))))
    if request.kind in table.FORMS:
        facts += table.FORMS[request.kind].facts(request)
    if getattr(request, "watermark", False):  # over HTTP, for any kind that has it
        facts.append((text("gallery.watermark"), text("gallery.yes")))
    units = generation.unit_deduction or unknown
    if generation.provider == "practice":  # it counts as Kling would, and nobody pays
        units = text("gallery.units_practice")
    facts += [
        (text("gallery.provider"), text(f"gallery.provider_{generation.provider}")),
        (text("gallery.origin"), text(f"gallery.origin_{generation.origin}")),
        (text("gallery.units"), units),
        (text("gallery.task_id"), generation.task_id or unknown),
        (text("gallery.external_task_id"), generation.external_task_id or unknown),
    ]
    return facts


def _cost(generation: Generation) -> str:
    try:
        ledger = session.studio().store.ledger
        line = ledger.several(session.owner(), [generation.id]).get(generation.id)
    except AppError:
        line = None
    return text("money.unknown") if line is None else line_words(line)
