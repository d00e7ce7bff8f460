"""How answers are asked for: model, thinking, system prompt, parameters."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypedDict, get_args

import streamlit as st

from core.models.chat import ChatParameters, Conversation, Effort
from core.ui import opened, session
from core.ui.buttons import keeping_errors
from core.ui.chat.answer import reading
from core.ui.session import text
from core.work.tools.looking import FETCHES_MOST, SEARCHES_MOST
from core.work.tools.loop import TURNS_MOST

EFFORTS: tuple[Effort, ...] = get_args(Effort)
MAX_TOKENS_MOST = 393_216  # deepseek.md §2: 384K
SYSTEM_PROMPT_LIMIT = 50_000
# Together with the switch and the button they stand on one line of a phone.
_MODEL_PX, _EFFORT_PX = 176, 92


class _Kept(TypedDict):
    key: str
    on_change: Callable[[Conversation | None, str], None]
    args: tuple[Conversation | None, str]


def parameters_of(conversation: Conversation | None) -> ChatParameters:
    """Return the parameters in force: the conversation's, or those the next new one starts with."""
    if conversation is not None:
        return conversation.parameters
    known = session.state()
    if known.parameters is None:
        settings = session.studio().settings.chat
        known.parameters = ChatParameters(model=settings.model) if settings else ChatParameters()
    return known.parameters


def draw_at_hand(conversation: Conversation | None, *, may_search: bool = False) -> None:
    """Draw what is changed most, for the bar above the chat box, and the rest behind a button.

    A change is kept at once and harms no running answer.
    """
    current = parameters_of(conversation)
    _draw_model(conversation, current)
    st.toggle(
        text("settings.thinking"),
        value=current.thinking,
        help=text("settings.thinking_help"),
        **_kept(conversation, "thinking"),
    )
    if current.thinking:
        st.selectbox(
            text("settings.effort"),
            EFFORTS,
            index=EFFORTS.index(current.effort),
            format_func=lambda effort: text(f"settings.effort_{effort}"),
            label_visibility="collapsed",
            width=_EFFORT_PX,
            **_kept(conversation, "effort"),
        )
    if may_search:
        st.toggle(
            text("settings.search"),
            value=current.search,
            help=text("settings.search_help"),
            **_kept(conversation, "search"),
        )
        st.toggle(
            text("settings.tools"),
            value=current.tools,
            help=text(
                "settings.tools_help", looks=SEARCHES_MOST, pages=FETCHES_MOST, turns=TURNS_MOST
            ),
            **_kept(conversation, "tools"),
        )
    with st.popover(
        text("settings.title"), icon=":material/tune:", type="tertiary", key="chat-settings"
    ):
        _draw_rest(conversation, current)


def _draw_model(conversation: Conversation | None, current: ChatParameters) -> None:
    models = list(session.studio().chat_models())
    if current.model not in models:
        models.insert(0, current.model)
    st.selectbox(
        text("settings.model"),
        models,
        index=models.index(current.model),
        accept_new_options=True,
        label_visibility="collapsed",
        width=_MODEL_PX,
        **_kept(conversation, "model"),
    )


def _draw_rest(conversation: Conversation | None, current: ChatParameters) -> None:
    st.toggle(
        text("settings.stream"),
        value=current.stream,
        help=text("settings.stream_help"),
        **_kept(conversation, "stream"),
    )
    _draw_sampling(conversation, current)
    reading.draw_choice()
    st.text_area(
        text("settings.system_prompt"),
        value=conversation.system_prompt if conversation else session.state().system_prompt,
        placeholder=text("settings.system_prompt_placeholder"),
        max_chars=SYSTEM_PROMPT_LIMIT,
        height=110,
        key=_key(conversation, "system"),
        on_change=_keep_system_prompt,
        args=(conversation,),
    )


def _draw_sampling(conversation: Conversation | None, current: ChatParameters) -> None:
    # Neither has any effect while thinking is on (deepseek.md §2).
    no_effect = text("settings.no_effect_thinking") if current.thinking else None
    for name, what, least, most, step in (
        ("temperature", "settings.temperature_help", 0.0, 2.0, 0.1),
        ("top_p", "settings.top_p_help", 0.05, 1.0, 0.05),
    ):
        value = getattr(current, name)
        st.slider(
            text(f"settings.{name}"),
            least,
            most,
            value=1.0 if value is None else value,
            step=step,
            disabled=current.thinking,
            help=no_effect or text(what),
            **_kept(conversation, name),
        )
    if no_effect:
        st.caption(no_effect)
    st.number_input(
        text("settings.max_tokens"),
        min_value=1,
        max_value=MAX_TOKENS_MOST,
        value=current.max_tokens,
        placeholder=text("settings.max_tokens_default"),
        help=text("settings.max_tokens_help"),
        **_kept(conversation, "max_tokens"),
    )


def _key(conversation: Conversation | None, name: str) -> str:
    return f"{name}-{conversation.id if conversation else 'new'}"


def _kept(conversation: Conversation | None, name: str) -> _Kept:
    """Return what has a widget keep its value as the parameter `name`."""
    return {"key": _key(conversation, name), "on_change": _keep, "args": (conversation, name)}


@keeping_errors()
def _keep(conversation: Conversation | None, name: str) -> None:
    value: Any = st.session_state[_key(conversation, name)]
    if name in ("temperature", "top_p") and value == 1.0:
        value = None  # the provider's own default
    if name == "model":
        value = (value or "").strip()
        if not value:
            return
    # Read again: another tab may have changed another setting meanwhile.
    conversation = opened.meant(conversation)
    if conversation is None:
        session.state().parameters = replace(parameters_of(None), **{name: value})
        return
    conversations = session.studio().store.conversations
    fresh = conversations.get(session.owner(), conversation.id) or conversation
    changed = replace(fresh.parameters, **{name: value})
    conversations.configure(session.owner(), conversation.id, parameters=changed)
    session.state().parameters = changed


@keeping_errors()
def _keep_system_prompt(conversation: Conversation | None) -> None:
    prompt: str = st.session_state[_key(conversation, "system")]
    conversation = opened.meant(conversation)
    if conversation is None:
        session.state().system_prompt = prompt
        return
    session.studio().store.conversations.configure(
        session.owner(), conversation.id, system_prompt=prompt
    )
