"""The form of the Images page: kind, words, Generate with its price, then the kind's own fields."""

import time
from collections.abc import Sequence

import streamlit as st

from core.errors import InputError
from core.models.generations import GenerationRequest, ReferenceImage
from core.models.money.ledger import Reservation
from core.ui import session
from core.ui.buttons import keeping_errors
from core.ui.generations import options
from core.ui.generations import reference as image_reference
from core.ui.generations.kinds import table
from core.ui.generations.options import KEYS
from core.ui.money import confirm as money_confirm
from core.ui.money.figures import budget_remark, own_budgets
from core.ui.money.words import amount_words
from core.ui.session import text

# Two clicks in a row are one generation.
DOUBLE_CLICK_S = 3.0

_PROMPT_HEIGHT_PX = 116


def draw() -> None:
    """Draw the form; Generate writes the generation down before anything is sent."""
    taken = _take_over()
    table.draw_choice()
    kind = table.chosen()
    st.text_area(
        text("images.prompt"),
        placeholder=text(f"images.placeholder_{kind}"),
        height=_PROMPT_HEIGHT_PX,
        key=KEYS["prompt"],
        persist_state="session",
    )
    options.draw_count("prompt")
    # Drawn last: what is asked for is known only then.
    generate = st.container(gap="xsmall")
    table.FORMS[kind].draw(taken)
    with generate:
        _draw_generate(kind)
        options.draw_stopped()
        if (error := session.state().image_error) is not None:
            session.show_error(error)


def fill(
    request: GenerationRequest, *, references: Sequence[ReferenceImage] = (), way: str = ""
) -> None:
    """Have the form hold this generation when it is drawn next; `way`: open another kind's form."""
    known = session.state()
    known.wanted_way = way if way in table.FORMS else request.kind
    known.wanted = request
    known.reference = references[0] if references else None
    known.wanted_references = tuple(references)
    known.dropped = None
    known.has_unread_record = False
    known.image_error = None
    known.upload_round += 1


def open_for(kind: str, pictures: tuple[ReferenceImage, ...], *, keeps_words: bool = True) -> None:
    """Have the form of a kind hold these pictures when it is drawn next."""
    known = session.state()
    known.wanted_way = kind
    known.wanted_empty = not keeps_words
    known.pictures = pictures


def _take_over() -> frozenset[str]:
    """Put what was left by `fill` into the form; return the keys of the inputs that were set."""
    known = session.state()
    way, known.wanted_way = known.wanted_way, ""
    if (wanted := known.wanted) is None:
        if way in table.FORMS:
            st.session_state[table.KEY] = way
            if known.wanted_empty:
                st.session_state[KEYS["prompt"]] = ""
        return frozenset()
    known.wanted = None
    if wanted.kind not in table.FORMS:
        image_reference.leave_record()
        return frozenset()
    references, known.wanted_references = known.wanted_references, ()
    values = {
        table.KEY: way or wanted.kind,
        KEYS["prompt"]: wanted.prompt,
        **table.FORMS[wanted.kind].values(wanted, references),
    }
    for key, held in values.items():
        st.session_state[key] = held
    return frozenset(values)


def _draw_generate(kind: str) -> None:
    """Draw the button with the price on it, and below what the price rests on."""
    held, n = None, 1
    try:
        request, _ = table.FORMS[kind].asked()
        held, n = money_confirm.held_for(request), request.n
    except InputError:
        pass  # told where its picture is
    label = text("images.generate_many", n=n)
    if held is not None and held.line.amount is not None:
        label += f" ≈ {amount_words(held.line.amount, held.line.currency)}"
    st.button(
        label.replace("$", "\\$"),
        icon=":material/brush:",
        type="primary",
        width="stretch",
        key="generate",
        on_click=_generate,
    )
    if (remark := _price_remark(held)) is not None:
        st.caption(remark)
    with st.container(key="generate-keys"):
        st.caption(text("images.generate_keys"))
    for state in own_budgets():
        if (remark := budget_remark(state)) is not None:
            st.caption(remark)


def _price_remark(held: Reservation | None) -> str | None:
    if held is not None and held.line.amount is None:
        return text("images.price_unknown")
    if session.image_mode() == "practice":
        return text("images.price_practice")
    if held is not None and held.line.units is not None:
        return text("images.price", units=f"{held.line.units.normalize():f}")
    return None


@keeping_errors("image_error")
def _generate() -> None:
    """Write the generation down. Runs before the page, so that no rerun can come between."""
    known = session.state()
    known.image_error = None
    request, references = table.FORMS[table.chosen()].asked()
    signature = ",".join(str(hash(one.content)) for one in references)
    now = time.monotonic()
    if known.last_request is not None:
        last_request, last_signature, at = known.last_request
        is_same = (last_request, last_signature) == (request, signature)
        if is_same and now - at < DOUBLE_CLICK_S:
            return
    money_confirm.require_task(request, (request, signature))
    session.studio().generations.request(
        session.owner(), request, references=references, caller=session.caller()
    )
    known.last_request = (request, signature, now)
