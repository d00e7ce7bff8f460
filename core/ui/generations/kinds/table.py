"""The table of forms: one line a kind; which of them is chosen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.models.generations import GenerationRequest, ImageRequest, ReferenceImage
from core.models.pictures.expand import ExpandRequest
from core.models.pictures.multi import MultiRequest
from core.models.pictures.omni import OmniRequest
from core.ui.generations.kinds import expand, image, multi, omni
from core.ui.session import text

Asked = tuple[GenerationRequest, tuple[ReferenceImage, ...]]

KEY = "image-way"


@dataclass(frozen=True, slots=True)
class Form:
    """One kind's form, beside the words and the button that all have."""

    icon: str
    draw: Callable[[frozenset[str]], None]  # told which inputs were set from outside in this run
    asked: Callable[[], Asked]
    # What the inputs hold, by their keys, where a request with its pictures fills the form.
    values: Callable[[Any, tuple[ReferenceImage, ...]], Mapping[str, object]]
    facts: Callable[[Any], list[tuple[str, str]]]  # what the large view tells of a request


FORMS: dict[str, Form] = {
    ImageRequest.kind: Form("brush", image.draw, image.asked, image.values, image.facts),
    OmniRequest.kind: Form("photo_library", omni.draw, omni.asked, omni.values, omni.facts),
    ExpandRequest.kind: Form(
        "open_in_full", expand.draw, expand.asked, expand.values, expand.facts
    ),
    MultiRequest.kind: Form("join", multi.draw, multi.asked, multi.values, multi.facts),
}


def chosen() -> str:
    """Return the kind whose form is open; the plain one at first."""
    kind = st.session_state.get(KEY)
    return kind if kind in FORMS else ImageRequest.kind


def draw_choice() -> None:
    """Draw the choice of the kind."""
    st.pills(
        text("images.way"),
        list(FORMS),
        default=None if KEY in st.session_state else ImageRequest.kind,
        required=True,
        format_func=label,
        label_visibility="collapsed",
        wrap=True,
        key=KEY,
        persist_state="session",
    )


def label(kind: str) -> str:
    """Return a kind's name with its icon."""
    return f":material/{FORMS[kind].icon}: {text(f'images.way_{kind}')}"
