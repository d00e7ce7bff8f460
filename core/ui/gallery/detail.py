"""One picture, large: the original, how it was made, what became of its task, what can be done."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from core.errors import AppError
from core.markdown.escaping import literal
from core.models.generations import Generation, ImageRequest, Picture
from core.storage.generations.gallery import GalleryPicture
from core.ui import clock, session
from core.ui.buttons import button, download, keeping_errors
from core.ui.formats import duration, moment, size
from core.ui.gallery import reuse as gallery_reuse
from core.ui.gallery import selection as gallery_selection
from core.ui.gallery.filters import model_title
from core.ui.gallery.task_history import draw_task_history
from core.ui.gallery.zip_export import picture_file_name
from core.ui.generations import card as generation_view
from core.ui.money.words import line_words
from core.ui.session import text

_GENERATION_PARAMETER = "g"


def open_picture(picture_id: str | None) -> None:
    """Show a picture large from the next run on; None closes it."""
    session.state().open_picture_id = picture_id


def open_linked() -> None:
    """Show the first picture of the generation that the URL leads to, once."""
    generation_id = st.query_params.pop(_GENERATION_PARAMETER, None)
    if generation_id is None:
        return
    generation = session.studio().store.generations.get(session.owner(), generation_id)
    if generation is not None and generation.pictures:
        open_picture(generation.pictures[0].id)


def draw(shown: Sequence[GalleryPicture]) -> None:
    """Draw the opened picture in a dialog; `shown` are those one can leaf through."""
    known = session.state()
    if known.open_picture_id is None:
        return
    picture_ids = [item.picture.id for item in shown]

    @st.dialog(text("gallery.view"), width="large", on_dismiss=lambda: open_picture(None))
    def dialog() -> None:
        item = None
        if known.open_picture_id is not None:
            item = session.studio().store.gallery.get(session.owner(), known.open_picture_id)
        if item is None:
            open_picture(None)
            st.rerun()
        if known.error is not None:
            session.show_error(known.error)
            known.error = None
        _draw_steps(item.picture.id, picture_ids)
        left, right = st.columns([3, 2], gap="medium")
        with left:
            _draw_original(item)
        with right:
            _draw_actions(item)
            _draw_facts(item)
            draw_task_history(item.generation)

    dialog()


def draw_favourite(item: GalleryPicture, *, place: Literal["tile", "view"]) -> None:
    """Draw the star that marks a favourite."""
    picture = item.picture
    st.button(
        ":primary[★]" if picture.favourite else "☆",
        type="tertiary" if place == "tile" else "secondary",
        help=text("gallery.unmark" if picture.favourite else "gallery.mark"),
        key=f"star-{place}-{picture.id}",
        on_click=_mark,
        args=(picture,),
    )


@keeping_errors()
def _mark(picture: Picture) -> None:
    session.studio().store.gallery.set_favourite(session.owner(), picture.id, not picture.favourite)


def _draw_steps(picture_id: str, picture_ids: list[str]) -> None:
    if picture_id not in picture_ids:
        return
    at = picture_ids.index(picture_id)
    with st.container(horizontal=True, horizontal_alignment="distribute", wrap=False):
        _draw_step("pager.newer", "Left", picture_ids[at - 1] if at else None)
        _draw_step(
            "pager.older", "Right", picture_ids[at + 1] if at + 1 < len(picture_ids) else None
        )


def _draw_step(label: str, shortcut: str, picture_id: str | None) -> None:
    st.button(
        text(label),
        type="tertiary",
        disabled=picture_id is None,
        shortcut=shortcut,
        key=f"step-{shortcut}",
        on_click=open_picture,
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
        alt=text(
            "images.alt",
            number=picture.index + 1,
            prompt=item.generation.request.prompt[:200] or text("gallery.prompt_unknown"),
        ),
    )


def _draw_actions(item: GalleryPicture) -> None:
    picture, generation = item.picture, item.generation
    archive = session.studio().archive
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        draw_favourite(item, place="view")
        gallery_reuse.draw_use_again(generation)
        gallery_reuse.draw_variations(picture, generation)
        download(
            "gallery.download_original",
            f"original-{picture.id}",
            lambda: archive.original_bytes(picture.name),
            picture_file_name(item, clock.zone()),
            picture.media_type,
        )
        if picture.media_type == "image/png":
            download(
                "gallery.download_told",
                f"told-{picture.id}",
                lambda: archive.download_bytes(picture, generation),
                generation_view.file_name(generation, picture),
                picture.media_type,
                "data_info_alert",
                help=text("gallery.download_told_help"),
            )
        button("chat.delete", "delete", f"delete-{picture.id}", _delete, picture)


def _delete(picture: Picture) -> None:
    gallery_selection.delete((picture.id,))
    if session.state().error is None:
        open_picture(None)


def _draw_facts(item: GalleryPicture) -> None:
    generation, request = item.generation, item.generation.request
    if request.prompt:
        st.code(request.prompt, language=None, wrap_lines=True)
    else:
        st.info(text("gallery.prompt_unknown_why"), icon=":material/help:")
    if isinstance(request, ImageRequest) and request.negative_prompt:
        st.caption(text("images.negative"))
        st.code(request.negative_prompt, language=None, wrap_lines=True)
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
        (text("images.model"), model_title(request.model_name) if is_known_request else unknown),
        (text("images.ratio"), request.aspect_ratio if is_known_request else unknown),
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
    if isinstance(request, ImageRequest):
        facts += _image_facts(request)
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


def _image_facts(request: ImageRequest) -> list[tuple[str, str]]:
    facts = []
    if request.has_image:
        kind = request.image_reference
        named = text(f"images.reference_{kind}") if kind else text("gallery.yes")
        facts.append((text("images.reference"), named))
    if request.image_fidelity is not None:
        facts.append((text("images.fidelity"), f"{request.image_fidelity:g}"))
    if request.human_fidelity is not None:
        facts.append((text("images.human_fidelity"), f"{request.human_fidelity:g}"))
    if request.element_ids:
        facts.append((text("gallery.elements"), ", ".join(map(str, request.element_ids))))
    if request.watermark:
        facts.append((text("gallery.watermark"), text("gallery.yes")))
    return facts
