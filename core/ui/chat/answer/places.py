"""The places of an answer that grows, in the order in which they stand above its text."""

from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.work.chat.live_answer import LiveAnswer

# By it the style (chat.css) knows an answer that grows. A key would do, but the run that asked for
# an answer draws it twice: ahead of the page, and with it.
MARK: Final = '<i class="inkling-growing"></i>'


class AnswerPlaces:
    """Drawn once where an answer grows; what it holds is drawn into them, its text behind them."""

    def __init__(self, live: LiveAnswer) -> None:
        st.html(MARK)
        # What tools are called for stands between thought and answer.
        self.tools: tuple[DeltaGenerator, DeltaGenerator] | None = None
        if live.has_studio_tools or live.steps:
            self.tools = st.container(), st.empty()
        self.waiting = st.empty()
