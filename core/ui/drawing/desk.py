"""The one form of a session in which a picture of a message is proposed, edited and sent."""

from concurrent.futures import CancelledError, Future
from typing import TypeVar

import streamlit as st

from core.errors import AppError
from core.models.generations import ImageRequest
from core.models.kling_catalogue import OFFERED_MODELS, ImageModel
from core.models.lineage import DrawnFrom
from core.models.pictures.proposal import PictureProposal
from core.ui import session
from core.ui.generations import options
from core.ui.money import confirm as money_confirm
from core.ui.session_state import OpenDrawing
from core.work.drawing.proposals import DrawingWish
from core.work.loop import LoopEndedError

_Told = TypeVar("_Told")

KEYS = {
    "prompt": "drawing-prompt",
    "negative": "drawing-negative",
    "ratio": "drawing-ratio",
    "n": "drawing-n",
    "wish": "drawing-wish",
}


def model() -> ImageModel:
    """Return the model that draws: the one of the Images page, where it draws from words."""
    chosen = options.model()
    return chosen if chosen in OFFERED_MODELS and chosen.text_to_image else OFFERED_MODELS[0]


def open_for(message_id: str) -> OpenDrawing | None:
    """Return the form that is open under a message."""
    drawing = session.state().drawing
    return drawing if drawing is not None and drawing.message_id == message_id else None


def begin(message_id: str, passage: str = "") -> None:
    """Have a model propose a picture of a message, or of a passage of it."""
    _ask(OpenDrawing(message_id, passage), DrawingWish(passage, model_name=model().name))


def rewrite() -> None:
    """Have the model change what stands in the form, by the person's wish."""
    drawing, before = session.state().drawing, _edited()
    if drawing is None:
        return
    wish = str(st.session_state.get(KEYS["wish"]) or "")
    drawing.proposal, drawing.wordings = before, ()
    _ask(drawing, DrawingWish(drawing.passage, wish, before, model().name))


def change(drawn: DrawnFrom) -> None:
    """Open the form with what a picture was made from; nothing is asked, and nothing paid."""
    if (found := _proposal_of(drawn)) is not None:
        close()
        drawing = OpenDrawing(drawn.link.message_id)
        session.state().drawing = drawing
        fill(drawing, found)


def soften(drawn: DrawnFrom) -> None:
    """Have a model word a refused prompt more mildly; the form opens with the refused one."""
    change(drawn)
    drawing = session.state().drawing
    if drawing is None or drawing.proposal is None:
        return
    proposals, refused = session.studio().proposals, drawing.proposal.prompt
    try:
        spender = session.spender()
        drawing.asking_milder = proposals.begin_milder(spender, drawing.message_id, refused)
    except (AppError, LoopEndedError) as error:
        drawing.error = _told(error)


def take_wording(words: str) -> None:
    """Put a milder wording into the form; the person still presses."""
    drawing = session.state().drawing
    if drawing is not None:
        drawing.error = None
        st.session_state[KEYS["prompt"]] = words


def close() -> None:
    """Close the form; what was still asked for is given up."""
    drawing, session.state().drawing = session.state().drawing, None
    if drawing is not None:
        for asked in (drawing.asking, drawing.asking_milder):
            if asked is not None:
                asked.cancel()


def take_reply(drawing: OpenDrawing) -> bool:
    """Take what has come for the form; True while something is still awaited."""
    if drawing.asking is not None and drawing.asking.done():
        asked, drawing.asking = drawing.asking, None
        # What fields held that were not drawn meanwhile is gone: they hold the last one again.
        if (told := _result(drawing, asked) or drawing.proposal) is not None:
            fill(drawing, told)
    if drawing.asking_milder is not None and drawing.asking_milder.done():
        milder, drawing.asking_milder = drawing.asking_milder, None
        drawing.wordings = _result(drawing, milder) or ()
    return drawing.asking is not None or drawing.asking_milder is not None


def fill(drawing: OpenDrawing, told: PictureProposal) -> None:
    """Have the form hold a proposal. Before its fields are drawn."""
    drawing.proposal = told
    ratios = model().ratios_for(has_image=False)
    st.session_state[KEYS["prompt"]] = told.prompt
    st.session_state[KEYS["negative"]] = told.negative_prompt
    st.session_state[KEYS["ratio"]] = told.aspect_ratio if told.aspect_ratio in ratios else "1:1"
    st.session_state[KEYS["n"]] = told.n
    st.session_state[KEYS["wish"]] = ""


def asked_for() -> ImageRequest:
    """Return what the form asks for."""
    chosen = model()
    request = _edited().request(chosen.name)
    resolution = options.resolution(chosen, has_image=False)
    return ImageRequest(
        request.prompt,
        model_name=request.model_name,
        negative_prompt=request.negative_prompt,
        aspect_ratio=request.aspect_ratio,
        resolution=resolution,
        n=request.n,
    )


def submit() -> None:
    """Write the generation down, tied to its message. Two presses in a row are one."""
    drawing = session.state().drawing
    if drawing is None:
        return
    drawing.error = None
    try:
        request = asked_for()
        money_confirm.require_task(request, (request, drawing.message_id))
        session.studio().generations.request(
            session.owner(), request, caller=session.caller(), message_id=drawing.message_id
        )
    except AppError as error:
        drawing.error = error
        return
    session.state().drawing = None


def _ask(drawing: OpenDrawing, wanted: DrawingWish) -> None:
    close()
    session.state().drawing = drawing
    drawing.error = None
    try:
        studio = session.studio()
        studio.services.images(session.owner())  # first: a prompt is no use where nobody draws
        asked = studio.proposals.begin(session.spender(), drawing.message_id, wanted)
        drawing.asking = asked
    except (AppError, LoopEndedError) as error:
        drawing.error = _told(error)


def _told(error: Exception) -> AppError:
    """Return an error as the page tells it; the loop's end has no words of its own."""
    return error if isinstance(error, AppError) else AppError()


def _edited() -> PictureProposal:
    held = st.session_state
    return PictureProposal(
        str(held.get(KEYS["prompt"]) or ""),
        str(held.get(KEYS["negative"]) or ""),
        held.get(KEYS["ratio"]) or "1:1",
        int(held.get(KEYS["n"]) or 1),
    )


def _proposal_of(drawn: DrawnFrom) -> PictureProposal | None:
    request = drawn.link.request
    if drawn.generation is not None and isinstance(drawn.generation.request, ImageRequest):
        request = drawn.generation.request
    if request is None:
        return None
    return PictureProposal(
        request.prompt, request.negative_prompt, request.aspect_ratio or "1:1", request.n
    )


def _result(drawing: OpenDrawing, asked: Future[_Told]) -> _Told | None:
    try:
        return asked.result()
    except AppError as error:
        drawing.error = error
    except CancelledError:  # the studio is being closed
        drawing.error = AppError()
    return None
