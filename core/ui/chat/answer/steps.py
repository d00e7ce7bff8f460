"""Steps of an answer: each call of a tool of the studio, folded, as it is made and afterwards."""

import json
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal

import streamlit as st

from core.markdown.escaping import literal
from core.models.chat import Message
from core.models.parts import ToolStep, steps_in
from core.ui.chat.answer.tool_turns import pretty
from core.ui.formats import code_span, duration
from core.ui.money.words import amount_words
from core.ui.session import text

_ICONS = {
    "calculator": "calculate",
    "draw": "brush",
    "fetch": "article",
    "search": "travel_explore",
    "time": "schedule",
}
KNOWN = frozenset(_ICONS)
TOLD = ("running", "failed", "refused", "proposed", "stopped")
_GIST = 60


def draw(message: Message) -> None:
    """Draw the steps of an answer that has ended."""
    draw_steps(steps_in(message.parts), is_over=True)


def draw_steps(steps: Sequence[ToolStep], *, is_over: bool = False) -> None:
    """Draw steps, each with what it was called with, what it returned, how long, and its cost."""
    for step in steps:
        icon = f":material/{_ICONS.get(step.name, 'build')}:"
        with st.expander(title(step, is_over=is_over), icon=icon, type="compact"):
            st.caption(text("steps.arguments"))
            st.code(pretty(step.arguments), language="json", wrap_lines=True)
            if step.result:
                st.caption(text("steps.result"))
                st.code(pretty(step.result), language=None, wrap_lines=True)


def title(step: ToolStep, *, is_over: bool) -> str:
    """Return what a folded step is called, as Markdown."""
    is_known = step.name in KNOWN
    name = text(f"steps.tool_{step.name}") if is_known else code_span(step.name or "?")
    state = "stopped" if is_over and step.state == "running" else step.state
    parts = [" ".join(filter(None, (name, gist(step))))]
    if state in TOLD:
        told = text(f"steps.state_{state}")
        parts.append(f":shimmer[{told}]" if state == "running" else told)
    if step.duration_ms.isdecimal():
        parts.append(duration(int(step.duration_ms) / 1000))
    return " · ".join([*(one.replace("$", "\\$") for one in parts), *cost_words(step)])


def gist(step: ToolStep) -> str:
    """Return what a call is about, as code: a model wrote it."""
    with suppress(ValueError, RecursionError):
        given = json.loads(step.arguments)
        told = given.values() if isinstance(given, dict) else ()
        words = next((one for one in told if isinstance(one, str) and one.strip()), "")
        words = " ".join(words.split())
        if words:
            return code_span(words if len(words) <= _GIST else f"{words[:_GIST]}…")
    return ""


def cost_words(step: ToolStep) -> list[str]:
    """Return what a step cost, where it cost anything, or nobody knows; as Markdown."""
    if not step.line_id:
        return []
    try:
        return [literal(amount_words(Decimal(step.amount), step.currency))]
    except (ArithmeticError, ValueError):
        return [text("money.unknown")]
