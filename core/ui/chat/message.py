"""Draws what was said: questions, answers with their reasoning, figures and how they ended."""

from collections.abc import Mapping
from functools import lru_cache

import streamlit as st

from core.markdown.escaping import literal
from core.markdown.rendering import for_streamlit, shielded
from core.models.chat import AnswerStatus, Message
from core.models.money.ledger import LedgerLine
from core.models.notices import notices_of, wanted_tools
from core.models.parts import steps_in
from core.texts import catalogue
from core.ui import session
from core.ui.chat.answer import steps
from core.ui.chat.answer.tool_turns import draw_calls
from core.ui.formats import code_span, duration, usage_line
from core.ui.money.figures import cost_words
from core.ui.session import text

AVATARS = {"user": ":material/person:", "assistant": ":material/ink_pen:"}

# finish_reason of an answer that ended well: nothing to say about it (deepseek.md §4).
_GOOD_ENDS = frozenset({"stop", None})
# After these, and where it was stopped or broken off, the rest of an answer can be asked for.
# With what is said where there is nothing to go on from.
_CUT_SHORT = {
    "length": "chat.finish_length_bare",
    "insufficient_system_resource": "chat.finish_insufficient_system_resource_bare",
    "aborted": "chat.finish_aborted_bare",
}
_EXPLAINED_ENDS = frozenset({*_CUT_SHORT, "content_filter", "tool_calls"})
# One that failed has nothing to go on from, unless it was to continue another.
_UNFINISHED = frozenset(AnswerStatus) - {AnswerStatus.RUNNING}


# A run draws again what earlier runs have drawn; parsing it is a third of the work. Some 5 MB.
_KEPT, _LONGEST_KEPT = 64, 20_000


def rendered(source: str) -> str:
    """Return Markdown as it is given to Streamlit; that of the last messages is kept."""
    return _kept(source) if len(source) <= _LONGEST_KEPT else shielded(for_streamlit(source))


@lru_cache(_KEPT)
def _kept(source: str) -> str:
    return shielded(for_streamlit(source))


def draw_answer(message: Message, line: LedgerLine | None = None) -> None:
    """Draw a finished answer: reasoning folded, text, how it ended, figures, what it cost."""
    draw_reasoning(message)
    steps.draw(message)
    if message.content:
        st.markdown(rendered(message.content))
    draw_calls(message)
    draw_ending(message, line)


def draw_reasoning(message: Message) -> None:
    """Draw the reasoning of a finished answer, folded."""
    if not message.reasoning_content:
        return
    with st.expander(reasoning_label(message.reasoning_s), type="compact"):
        st.markdown(rendered(message.reasoning_content))


def reasoning_label(seconds: float | None) -> str:
    """Return what the folded reasoning is called."""
    if seconds is None:
        return text("chat.thought")
    return text("chat.thought_for", duration=duration(seconds))


def draw_ending(message: Message, line: LedgerLine | None = None) -> None:
    """Say how an answer ended when it did not end well, what it used and what it cost."""
    remark = _remark(message)
    if message.status is AnswerStatus.FAILED:
        session.draw_error(remark or text("error.unexpected"), message.error_detail)
    elif remark:
        st.warning(remark, icon=":material/info:")
        if message.error_detail:
            with st.expander(text("error_view.detail")):
                st.text(message.error_detail)
    for notice in notices_of(message):
        st.warning(text(notice.text_id, **_as_code(notice.facts)), icon=":material/info:")
    st.caption(_figures(message, line))


def can_go_on(message: Message) -> bool:
    """Tell whether the rest of an answer can be asked for: there is something to go on from."""
    has_some = bool(message.content.strip() or steps_in(message.parts))
    if not has_some or message.status not in _UNFINISHED:
        return False
    return message.status is not AnswerStatus.COMPLETE or message.finish_reason in _CUT_SHORT


def _as_code(facts: Mapping[str, object]) -> dict[str, object]:
    """Return facts with the names in them shown as they are: a model wrote them."""
    return {name: code_span(one) if isinstance(one, str) else one for name, one in facts.items()}


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
            told = "chat.ended_cut_off" if can_go_on(message) else "chat.ended_cut_off_bare"
            return " ".join(filter(None, (text(told), error)))
        case _:
            return _finish_remark(message)


def _finish_remark(message: Message) -> str | None:
    reason = message.finish_reason
    wants_tool = wanted_tools(message) is not None  # which a notice says
    if reason in _GOOD_ENDS:
        if message.content.strip() or wants_tool:
            return None
        if message.reasoning_content:
            return text("chat.ended_only_reasoning")
        return text("chat.ended_blank" if message.content else "chat.ended_empty")
    if reason == "tool_calls" and wants_tool:
        return None
    if reason in _CUT_SHORT and not can_go_on(message):
        return text(_CUT_SHORT[reason])
    if reason in _EXPLAINED_ENDS:
        return text(f"chat.finish_{reason}")
    return text("chat.finish_other", reason=code_span(reason or "-"))


def _figures(message: Message, line: LedgerLine | None) -> str:
    parts = []
    if message.practice:
        parts.append(text("practice.badge"))
    if message.model:
        parts.append(code_span(message.model))
    parts.append(usage_line(message.usage))
    if made := steps_in(message.parts):
        turns = len({step.turn for step in made}) + 1
        parts.append(text("usage.turns", turns=turns, calls=len(made)))
    if message.first_token_s is not None:
        parts.append(text("usage.first_token", duration=duration(message.first_token_s)))
    if speed := _tokens_per_second(message):
        parts.append(text("usage.speed", speed=f"{speed:.0f}"))
    parts += [literal(words) for words in cost_words(line)]
    return " · ".join(parts)


def _tokens_per_second(message: Message) -> float | None:
    if message.usage is None or message.usage.completion_tokens is None:
        return None
    if message.duration_s is None or message.first_token_s is None or steps_in(message.parts):
        return None  # or tools took their time in between
    writing_s = message.duration_s - message.first_token_s
    # Of a whole answer that came at once nothing is known about its speed.
    return message.usage.completion_tokens / writing_s if writing_s > 0.2 else None
