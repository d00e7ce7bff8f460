"""The places of an answer that grows, in the order in which they stand above its text."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.work.chat.live_answer import LiveAnswer


class AnswerPlaces:
    """Drawn once where an answer grows; what it holds is drawn into them, its text behind them."""

    def __init__(self, live: LiveAnswer) -> None:
        self.pulse = st.empty()
        # What tools are called for stands between thought and answer.
        self.tools: tuple[DeltaGenerator, DeltaGenerator] | None = None
        if live.has_studio_tools or live.steps:
            self.tools = st.container(), st.empty()
        self.waiting = st.empty()
