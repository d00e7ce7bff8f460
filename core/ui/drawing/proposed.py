"""Proposed pictures: a model asks for one below its answer, and a person alone has it made.

What is pressed makes one task, however often, also in a continued or forked copy of the answer: the
call's own id, and that of the message it was made in, are its key.
"""

import streamlit as st

from core.errors import AppError
from core.models.chat import Message
from core.models.generations import ImageRequest
from core.models.parts import ToolStep, steps_in
from core.ui import session
from core.ui.buttons import keeping_errors
from core.ui.money import confirm as money_confirm
from core.ui.money.words import amount_words, link_to
from core.ui.session import text
from core.work.tools.drawing import proposal


def draw(message: Message) -> None:
    """Draw the pictures that an answer proposes, each with its price and the way to have it."""
    for number, step in enumerate(steps_in(message.parts)):
        request = proposal(step.arguments) if step.state == "proposed" else None
        if request is not None:
            with st.container(key=f"proposal-{message.id}-{number}", border=True, gap="xsmall"):
                _draw(message, number, step, request)


def _draw(message: Message, number: int, step: ToolStep, request: ImageRequest) -> None:
    st.caption(text("steps.proposal"))
    st.text(request.prompt)
    st.caption(f"{request.aspect_ratio} · {request.resolution} · {request.model_name}")
    if (made := _made(message, step)) is not None:
        address = link_to("gallery", g=made)
        st.markdown(f"{text('steps.proposal_made')} [{text('nav.gallery')}]({address})")
        return
    held = money_confirm.held_for(request)
    label = text("images.generate_many", n=request.n)
    if held is not None and held.line.amount is not None:
        label += f" ≈ {amount_words(held.line.amount, held.line.currency)}"
    elif held is not None:
        label += f" · {text('money.unknown')}"
    st.button(
        label.replace("$", "\\$"),
        icon=":material/brush:",
        key=f"have-{message.id}-{number}",
        on_click=_have,
        args=(message, step, request),
    )


def _key(message: Message, step: ToolStep) -> str:
    return f"proposal-{step.made_in or message.id}-{step.id}"


def _made(message: Message, step: ToolStep) -> str | None:
    """Return the id of the task that was made of a proposal."""
    find = session.studio().store.generations.find_by_key
    try:
        made = find(session.owner(), _key(message, step))
    except AppError:
        return None
    return None if made is None else made.id


@keeping_errors()
def _have(message: Message, step: ToolStep, request: ImageRequest) -> None:
    key = _key(message, step)
    money_confirm.require_task(request, (key,))
    session.studio().generations.request(
        session.owner(),
        request,
        idempotency_key=key,
        caller=session.caller(),
        message_id=message.id,
    )
