"""Tool calls and their results in a conversation that a program held: folded, as code."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress

import streamlit as st

from core.models.chat import Message
from core.models.notices import has_tools
from core.models.parts import ToolCall, ToolResult
from core.ui.formats import code_span
from core.ui.session import text

_ICON = ":material/build:"
_SHOWN = 20_000  # characters: results may be whole files


def names_of(path: Sequence[Message]) -> Mapping[str, str]:
    """Return the names of what was called, by the ids of the calls."""
    calls = (part for message in path for part in message.parts if isinstance(part, ToolCall))
    return {call.id: call.name for call in calls}


def draw_calls(message: Message) -> None:
    """Draw what an answer called; where it was offered no tools a notice says what it wanted."""
    if not has_tools(message.error_facts):
        return
    for part in message.parts:
        if isinstance(part, ToolCall):
            title = text("chat.tool_called", name=code_span(part.name or "?"))
            with st.expander(title, icon=_ICON, type="compact"):
                st.code(pretty(part.arguments), language="json", wrap_lines=True)


def draw_results(message: Message, names: Mapping[str, str]) -> None:
    """Draw what tools returned."""
    for part in message.parts:
        if isinstance(part, ToolResult):
            name = names.get(part.call_id) or part.name or part.call_id
            title = text("chat.tool_returned", name=code_span(name))
            with st.chat_message("tool", avatar=_ICON), st.expander(title, type="compact"):
                st.code(pretty(part.content), language=None, wrap_lines=True)


def pretty(content: str) -> str:
    """Return JSON with its indents, and all else as it is."""
    with suppress(ValueError, RecursionError):
        content = json.dumps(json.loads(content), ensure_ascii=False, indent=2)
    return content if len(content) <= _SHOWN else f"{content[:_SHOWN]}…"
