"""One browser session: its state, who sits there, in which language.

The only file that names keys of st.session_state; each has a type in `session_state`.
"""

from hashlib import sha256
from typing import cast

import streamlit as st

from core.access.owners import may_spend
from core.access.passes import Pass
from core.errors import AppError, ProviderError, StoreError
from core.models.money.ledger import Spender
from core.settings import Settings
from core.texts import catalogue
from core.texts.catalogue import Language
from core.ui import visitor as access
from core.ui.frame import presses
from core.ui.session_state import SessionState, Target
from core.ui.start.configuration import app_settings, data_dir_error
from core.ui.visitor import Visitor
from core.work.process_studio import current_studio, open_studio
from core.work.services import Mode
from core.work.studio import Studio

_STATE = "inkling"


def state() -> SessionState:
    """Return this session's state."""
    try:  # asked for hundreds of times in a run: one look instead of two
        return cast(SessionState, st.session_state[_STATE])
    except KeyError:
        made = st.session_state[_STATE] = SessionState()
        return made


def studio() -> Studio:
    """Return the studio; where it cannot open, say why on the page and end this run."""
    try:
        return open_studio(app_settings)
    except AppError as error:
        st.title(text("app.name"))
        _show_why_closed(error)
        st.button(text("action.try_again"), type="primary", icon=":material/refresh:")
        st.stop()


def _show_why_closed(error: AppError) -> None:
    try:
        settings = app_settings()
    except Exception:  # it may be the settings themselves; open_studio has logged it
        show_error(error)
        return
    show_error(data_dir_error(error, settings) or error)
    if may_spend(_visitor(settings).owner):
        for problem in settings.problems:
            show_error(problem)


def visitor() -> Visitor:
    """Return who sits before this page, judged anew in every run."""
    return _visitor(studio().settings)


def _visitor(settings: Settings) -> Visitor:
    known = state()
    if known.visitor_id is None:
        known.visitor_id = access.new_visitor_id()
    return access.visitor(settings.access, known.visitor_id, _name_of_pass)


def _name_of_pass(cookie_header: str) -> str | None:
    opened = current_studio()  # not `studio`: this is asked for the page that says why it is closed
    found = opened.passes.look_up(cookie_header) if opened is not None else None
    return found.name if found is not None else None


def pass_name() -> str | None:
    """Return the name of the pass by which this session is let in; None: by none, or closed."""
    opened = current_studio()
    return _visitor(opened.settings).pass_name if opened is not None else None


def own_pass() -> Pass | None:
    """Return the pass that this session came in with, whether or not it needs one."""
    return studio().passes.look_up(st.context.headers.get("cookie"))


def leave() -> None:
    """Take this device's own pass back: who sits here is a stranger from the next run on."""
    if (own := own_pass()) is not None:
        try:
            studio().passes.revoke(own.id)
        except StoreError as error:
            state().notice = error_text(error)


def is_who_it_was_drawn_for() -> bool:
    """Tell whether the page was drawn for who sits there now; the first page is for anybody."""
    drawn_for = state().drawn_for
    try:
        return drawn_for is None or drawn_for == _who()
    except AppError:  # nobody can tell: the page says why
        return False


def _who() -> tuple[str | None, ...]:
    opened = current_studio()
    if opened is None:
        return ()
    sitting = _visitor(opened.settings)
    return sitting.owner, sitting.standing, sitting.pass_name


def owner() -> str:
    """Return whose conversations and pictures this session sees."""
    return visitor().owner


def owner_mark() -> str:
    """Return what tells the owners of one browser apart there, and says nothing of who they are."""
    return sha256(owner().encode()).hexdigest()[:16]


def caller() -> str:
    """Return who spends in this session, as the ledger names them."""
    sitting = visitor()
    if sitting.pass_name is not None:
        return f"pass:{sitting.pass_name}"
    return sitting.owner if sitting.standing == "user" else "page"


def spender() -> Spender:
    """Return who spends in this session, for a line of the ledger."""
    return Spender(owner(), caller(), "page")


def is_trusted() -> bool:
    """Tell whether this session may spend, and be told about the installation."""
    return may_spend(owner())


def chat_mode() -> Mode:
    """Tell whether chat is live for this session, practice, or not to be had."""
    return studio().services.chat_mode(owner())


def image_mode() -> Mode:
    """Tell whether pictures are live for this session, practice, or not to be had."""
    return studio().services.image_mode(owner())


def language() -> Language:
    """Return the language of this session: chosen, chosen earlier, or the browser's."""
    known = state()
    if known.language is None:
        known.language = _remembered_language() or catalogue.language_of(st.context.locale)
    return known.language


def choose_language(chosen: Language) -> None:
    """Keep the reader's choice for this session and the next ones."""
    state().language = chosen
    if visitor().standing not in ("here", "pass", "user"):
        return  # a stranger leaves nothing behind, and decides for nobody else
    try:
        studio().store.key_values.set(_language_key(), chosen)
    except StoreError as error:
        state().error = error


def _remembered_language() -> Language | None:
    try:
        remembered = open_studio(app_settings).store.key_values.get(_language_key())
    except AppError:
        return None
    return remembered if remembered in catalogue.LANGUAGES else None


def _language_key() -> str:
    # A choice holds for browsers of one language: another person's, in theirs, keep it.
    return f"language.{owner()}.{catalogue.language_of(st.context.locale)}"


def text(key: str, /, **facts: object) -> str:
    """Return the text named `key` in the reader's language."""
    return catalogue.text(language(), key, **facts)


def error_text(error: AppError) -> str:
    """Return what happened and what to do, in the reader's language."""
    return error.sentence(language())


def show_error(error: AppError) -> None:
    """Draw an error as one sentence, with what else is known behind it."""
    is_provider = isinstance(error, ProviderError)
    title = text("error_view.detail" if is_provider else "error_view.own_detail")
    draw_error(error_text(error), error.detail, title=title)


def draw_error(sentence: str, detail: str = "", *, title: str | None = None) -> None:
    """Draw a sentence as an error, and `detail` behind it literally: by default a provider's."""
    st.error(sentence, icon=":material/error:")
    if detail:
        with st.expander(title or text("error_view.detail")):
            st.text(detail)


def enter_page(page: str) -> bool:
    """Note which page is drawn; True when the last run drew another one."""
    known = state()
    is_first_run = known.page != page
    known.page = page
    known.drawn_for = _who()
    known.told.clear()
    return is_first_run


def go_to(page: str, query: dict[str, str] | None = None) -> None:
    """Show a page at an address, from wherever that was pressed; in a callback."""
    state().go_to = Target(page, query or {})
    presses.draw_whole_page()


def take_notice() -> str | None:
    """Return a remark left for the next run, once."""
    known = state()
    notice, known.notice = known.notice, None
    return notice
