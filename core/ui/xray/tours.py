"""Three guided tours on practice: an answer, a picture, a failure, and what to look at in each."""

import streamlit as st

from core.ui.session import text

# Each tour's steps, by their text ids.
_TOURS: dict[str, tuple[str, ...]] = {
    "answer": tuple(f"xray.tour_answer_{number}" for number in range(1, 7)),
    "picture": tuple(f"xray.tour_picture_{number}" for number in range(1, 5)),
    "failure": tuple(f"xray.tour_failure_{number}" for number in range(1, 5)),
}


def draw() -> None:
    """Draw the tours, folded."""
    with st.expander(text("xray.tours"), icon=":material/school:"):
        tabs = st.tabs([text(f"xray.tour_{name}") for name in _TOURS])
        for steps, tab in zip(_TOURS.values(), tabs, strict=True):
            with tab:
                st.markdown("\n".join(f"{at}. {text(key)}" for at, key in enumerate(steps, 1)))
