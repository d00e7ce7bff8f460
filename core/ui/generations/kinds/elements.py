"""Elements in the form of omni pictures: chosen, named in the prompt, made of pictures, deleted."""

import streamlit as st

from core.access.owners import may_spend
from core.models.pictures.elements import (
    DESCRIPTION_MOST,
    NAME_MOST,
    PICTURES_MOST,
    Element,
)
from core.ui import session
from core.ui.buttons import button, keeping_errors
from core.ui.generations.kinds import pictures
from core.ui.money import confirm
from core.ui.session import text

KEY = "omni-elements"
_NAME, _ABOUT = "element-name", "element-about"


def chosen() -> tuple[int, ...]:
    """Return the ids of the chosen elements, in their order."""
    return tuple(int(one) for one in st.session_state.get(KEY) or ())


def draw() -> None:
    """Draw the fold, for those whose account it is."""
    if not may_spend(session.owner()):
        return
    count = len(chosen())
    with st.expander(
        text("elements.title_chosen" if count else "elements.title", count=count),
        icon=":material/interests:",
        key="elements-fold",
    ):
        known = session.state().elements
        if known is None:
            st.caption(text("elements.what"))
            button("elements.load", "sync", "elements-load", _load)
            _draw_choice(())
            return
        ready = [one for one in known if one.state == "ready"]
        _draw_choice(ready)
        waiting = sum(one.state == "making" for one in known)
        if waiting:
            st.caption(text("elements.making", count=waiting))
        button("elements.load_again", "sync", "elements-load", _load, type="tertiary")
        _draw_delete(ready)
        _draw_new()


def _draw_choice(ready: "list[Element] | tuple[Element, ...]") -> None:
    names = {one.id: one.name for one in ready}
    options = list(dict.fromkeys([*map(str, chosen()), *names]))
    if not options:
        if session.state().elements is not None:
            st.caption(text("elements.none"))
        return
    st.multiselect(
        text("elements.choose"),
        options,
        format_func=lambda one: f"{names[one]} · {one}" if one in names else one,
        key=KEY,
        persist_state="session",
    )
    with st.container(horizontal=True, gap="small"):
        for place, _ in enumerate(chosen()):
            name = text("elements.name", number=place + 1)
            st.button(
                name,
                type="tertiary",
                help=text("images.pictures_insert"),
                key=f"insert-element-{place}",
                on_click=pictures.insert,
                args=(name,),
            )


def _draw_new() -> None:
    st.text_input(text("elements.new_name"), max_chars=NAME_MOST, key=_NAME)
    st.text_input(text("elements.new_about"), max_chars=DESCRIPTION_MOST, key=_ABOUT)
    st.caption(text("elements.new_help", most=PICTURES_MOST))
    button("elements.make", "add", "elements-make", _make)


def _draw_delete(ready: list[Element]) -> None:
    named = [one for one in ready if one.id in map(str, chosen())]
    if named:
        label = text("elements.delete", names=", ".join(one.name for one in named))
        st.button(
            label,
            icon=":material/delete:",
            type="tertiary",
            key="elements-delete",
            on_click=_delete,
            args=(tuple(one.id for one in named),),
        )


@keeping_errors("image_error")
def _load() -> None:
    session.state().elements = session.studio().generations.elements.every(session.spender())


@keeping_errors("image_error")
def _make() -> None:
    """Make an element of the pictures of the form: the first of them from the front."""
    name, about = str(st.session_state.get(_NAME) or ""), str(st.session_state.get(_ABOUT) or "")
    held = pictures.current(PICTURES_MOST)
    confirm.require_unknown(("element", name, about, len(held)))
    elements = session.studio().generations.elements
    elements.make(name, about, held, spender=session.spender())
    session.state().notice = text("elements.made")
    st.session_state[_NAME] = st.session_state[_ABOUT] = ""
    _load()


@keeping_errors("image_error")
def _delete(ids: tuple[str, ...]) -> None:
    elements = session.studio().generations.elements
    for element_id in ids:
        elements.delete(element_id, spender=session.spender())
    st.session_state[KEY] = []
    _load()
