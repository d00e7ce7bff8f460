"""The form under a message: what a model proposed, to be edited, with the price on its button."""

import streamlit as st

from core.errors import AppError
from core.markdown.escaping import literal
from core.models.pictures.rules import COUNT_LEAST, COUNT_MOST, PROMPT_LIMIT, count_characters
from core.ui import session
from core.ui.buttons import button
from core.ui.drawing import desk
from core.ui.drawing.desk import KEYS
from core.ui.generations import choices, options
from core.ui.live.watching import redraw_page
from core.ui.money.words import amount_words
from core.ui.session import text
from core.ui.session_state import OpenDrawing

WATCH_EVERY_S = 0.3
_NEAR = 0.8  # of the limit: before that, nobody needs the count


def draw(message_id: str) -> None:
    """Draw the form where it is open under this message, or that the model is still writing."""
    drawing = desk.open_for(message_id)
    if drawing is None:
        return
    is_awaited = desk.take_reply(drawing)
    with st.container(border=True, key="drawing", gap="small"):
        if is_awaited:
            _watch(drawing)
        if drawing.asking is None and drawing.proposal is not None:
            _draw_wordings(drawing)
            _draw_fields(drawing)
        if drawing.error is not None:
            session.show_error(drawing.error)
        if not is_awaited and drawing.proposal is None:
            with st.container(horizontal=True, gap="small"):
                again = (drawing.message_id, drawing.passage)
                button("drawing.again", "refresh", "drawing-again", desk.begin, *again)
                button("drawing.close", "close", "drawing-close", desk.close, type="tertiary")


def _watch(drawing: OpenDrawing) -> None:
    """Say what is awaited, and draw the page anew once it has come."""
    words = "drawing.writing" if drawing.asking is not None else "drawing.softening"

    @st.fragment(run_every=WATCH_EVERY_S)
    def watch() -> None:
        asked = drawing.asking or drawing.asking_milder
        if asked is None or asked.done():
            redraw_page()
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f":material/ink_pen: {text(words)}", width="stretch")
            button("drawing.stop", "stop_circle", "drawing-stop", desk.close, type="tertiary")

    watch()


def _draw_wordings(drawing: OpenDrawing) -> None:
    """Offer milder wordings; taking one sends nothing."""
    if not drawing.wordings:
        return
    st.markdown(text("drawing.wordings"))
    for number, words in enumerate(drawing.wordings, 1):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.text(words, width="stretch")
            st.button(
                text("drawing.take", number=number),
                icon=":material/check:",
                key=f"drawing-take-{number}",
                on_click=desk.take_wording,
                args=(words,),
            )


def _draw_fields(drawing: OpenDrawing) -> None:
    if drawing.passage:
        st.caption(text("drawing.of_passage", passage=literal(drawing.passage[:80])))
    chosen = desk.model()
    st.text_area(text("images.prompt"), height=116, key=KEYS["prompt"])
    _draw_count("prompt")
    st.text_area(text("images.negative"), height=68, key=KEYS["negative"])
    _draw_count("negative")
    if ratios := chosen.ratios_for(has_image=False):
        choices.draw_ratio(KEYS["ratio"], ratios, "1:1", is_taken=KEYS["ratio"] in st.session_state)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        # Without a way to empty it, which on a phone would hide the number.
        st.number_input(text("images.n"), COUNT_LEAST, COUNT_MOST, key=KEYS["n"], width=150)
        st.text_input(
            text("drawing.wish"), placeholder=text("drawing.wish_placeholder"), key=KEYS["wish"]
        )
        button("drawing.rewrite", "edit_note", "drawing-rewrite", desk.rewrite)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        label, remark = _price()
        st.button(
            label.replace("$", "\\$"),
            icon=":material/brush:",
            type="primary",
            key="drawing-submit",
            on_click=desk.submit,
        )
        button("drawing.close", "close", "drawing-close", desk.close, type="tertiary")
    st.caption(remark.replace("$", "\\$"))


def _draw_count(name: str) -> None:
    count = count_characters(str(st.session_state.get(KEYS[name]) or ""))
    line = text("images.count", count=count, limit=PROMPT_LIMIT)
    if count > PROMPT_LIMIT:
        st.caption(f":red[{line}]")
    elif count > _NEAR * PROMPT_LIMIT:
        st.caption(line)


def _price() -> tuple[str, str]:
    """Return the button's words with the price, and below it what draws, and how large."""
    request, studio, chosen = desk.asked_for(), session.studio(), desk.model()
    label = text("images.generate_many", n=request.n)
    size = options.resolution(chosen, has_image=False).upper()
    parts = [chosen.title, size]
    try:
        provider = studio.services.image_provider(session.owner())
        line = studio.spending.for_task(session.spender(), provider, request).line
    except AppError as error:
        return label, session.error_text(error)
    if line.amount is None:
        parts.append(text("images.price_unknown"))
    else:
        label += f" ≈ {amount_words(line.amount, line.currency)}"
    if session.image_mode() == "practice":
        parts.append(text("images.price_practice"))
    return label, " · ".join(parts)
