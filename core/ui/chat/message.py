"""Draws what was said: questions, answers with their reasoning, figures and how they ended."""

import streamlit as st

from core.markdown.rendering import for_streamlit, shielded
from core.models.chat import AnswerStatus, Message
from core.texts import catalogue
from core.ui import session
from core.ui.formats import code_span, duration, usage_line
from core.ui.session import text

AVATARS = {"user": ":material/person:", "assistant": ":material/ink_pen:"}

# finish_reason of an answer that ended well: nothing to say about it (deepseek.md §4).
_GOOD_ENDS = frozenset({"stop", None})
_EXPLAINED_ENDS = frozenset(
    {"length", "content_filter", "tool_calls", "insufficient_system_resource", "aborted"}
)


def draw_answer(message: Message) -> None:
    """Draw a finished answer: reasoning folded, text, how it ended, figures."""
    draw_reasoning(message)
    if message.content:
        st.markdown(shielded(for_streamlit(message.content)))
    draw_ending(message)


def draw_reasoning(message: Message) -> None:
    """Draw the reasoning of a finished answer, folded."""
    if not message.reasoning_content:
        return
    with st.expander(reasoning_label(message.reasoning_s), type="compact"):
        st.markdown(shielded(for_streamlit(message.reasoning_content)))


def reasoning_label(seconds: float | None) -> str:
    """Return what the folded reasoning is called."""
    if seconds is None:
        return text("chat.thought")
    return text("chat.thought_for", duration=duration(seconds))


def draw_ending(message: Message) -> None:
    """Say how an answer ended when it did not end well, and what it used."""
    remark = _remark(message)
    if message.status is AnswerStatus.FAILED:
        session.draw_error(remark or text("error.unexpected"), message.error_detail)
    elif remark:
        st.warning(remark, icon=":material/info:")
        if message.error_detail:
            with st.expander(text("error_view.detail")):
                st.text(message.error_detail)
    st.caption(_figures(message))


def _remark(message: Message) -> str | None:
    error = None
    if message.error_text_id is not None:
        error = catalogue.sentence(session.language(), message.error_text_id, message.error_facts)
        wait_s = message.error_facts.get("retry_after_s")
        if error is not None and isinstance(wait_s, int):
            error = f"{error} {text('chat.wait_asked', duration=duration(float(wait_s)))}"
    match message.status:
        case AnswerStatus.FAILED:
            return error
        case AnswerStatus.STOPPED:
            return text("chat.ended_stopped")
        case AnswerStatus.INTERRUPTED:
            return text("chat.ended_interrupted")
        case AnswerStatus.CUT_OFF:
            return " ".join(filter(None, (text("chat.ended_cut_off"), error)))
        case _:
            return _finish_remark(message)


def _finish_remark(message: Message) -> str | None:
    reason = message.finish_reason
    if reason in _GOOD_ENDS:
        if message.content:
            return None
        return text(
            "chat.ended_only_reasoning" if message.reasoning_content else "chat.ended_empty"
        )
    if reason in _EXPLAINED_ENDS:
        return text(f"chat.finish_{reason}")
    return text("chat.finish_other", reason=code_span(reason or "-"))


def _figures(message: Message) -> str:
    parts = []
    if message.practice:
        parts.append(text("practice.badge"))
    if message.model:
        parts.append(code_span(message.model))
    parts.append(usage_line(message.usage))
    if message.first_token_s is not None:
        parts.append(text("usage.first_token", duration=duration(message.first_token_s)))
    if speed := _tokens_per_second(message):
        parts.append(text("usage.speed", speed=f"{speed:.0f}"))
    return " · ".join(parts)


def _tokens_per_second(message: Message) -> float | None:
    if message.usage is None or message.usage.completion_tokens is None:
        return None
    if message.duration_s is None or message.first_token_s is None:
        return None
    writing_s = message.duration_s - message.first_token_s
    # Of a whole answer that came at once nothing is known about its speed.
    return message.usage.completion_tokens / writing_s if writing_s > 0.2 else None
