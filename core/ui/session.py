"""What one browser session keeps: ids and drafts. The store holds the truth.

The only file that names keys of st.session_state; each has a type here.
"""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Literal, cast
from uuid import uuid4

import streamlit as st

from core.access.invitations import Invitation
from core.access.owners import may_spend
from core.access.passes import Pass
from core.errors import AppError, InputError, ProviderError, StoreError
from core.models.chat import ChatParameters, Conversation
from core.models.generations import GenerationRequest, ReferenceImage
from core.models.kling_catalogue import ImageModel
from core.models.money.ledger import Spender
from core.models.pictures.elements import Element
from core.providers.deepseek.wire import Balance
from core.providers.kling.wire import AccountCosts
from core.settings import Settings
from core.storage.chat.branches import RemovedTurn
from core.storage.transfer.imports import ImportResult
from core.texts import catalogue
from core.texts.catalogue import Language
from core.ui import visitor as access
from core.ui.configuration import app_settings, data_dir_error
from core.ui.visitor import Visitor
from core.work.generations.recovery import RecoveryResult
from core.work.money.reconcile import BalanceDrop, Reconciliation
from core.work.services import Mode
from core.work.studio import Studio, current_studio, open_studio

_STATE = "inkling"
_CONVERSATION_PARAMETER = "c"
_MESSAGE_PARAMETER = "m"

ProviderName = Literal["chat", "images"]
# What a provider tells of the account when its key is checked; None: only that the key is good.
Account = Balance | AccountCosts | None


@dataclass(frozen=True, slots=True)
class PreparedUpload:
    """What became of a chosen picture, so that it is decoded once."""

    file_id: str
    fit: bool
    outcome: ReferenceImage | InputError


@dataclass(frozen=True, slots=True)
class PreparedDownload:
    """A file that the browser is to save as soon as the page is drawn."""

    name: str
    media_type: str
    content: str
    id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True, slots=True)
class Target:
    """A page, and the URL parameters it is to be opened with."""

    page: str
    query: dict[str, str]


@dataclass
class SessionState:
    """Everything a session remembers between runs."""

    language: Language | None = None
    page: str | None = None
    visitor_id: str | None = None
    conversation_id: str | None = None
    # Parameters of a conversation that has no row yet; also where the next new one starts.
    parameters: ChatParameters | None = None
    system_prompt: str = ""
    deleted_conversation: Conversation | None = None
    conversations_shown: int | None = None  # in the sidebar; None: as many as at first
    download: PreparedDownload | None = None
    reading_ticket: tuple[str, str, float] | None = None  # for whom, the ticket, until when
    put_away: set[str] = field(default_factory=set)  # notices, by the keys of their places
    renaming: bool = False
    palette: Literal["search", "sheet"] | None = None  # what is open over the page
    go_to: Target | None = None
    editing_id: str | None = None
    removed_turn: RemovedTurn | None = None  # the last one, which can be brought back
    earliest_turn: str | None = None  # the question from which a long conversation is drawn
    error: AppError | None = None
    told: set[str] = field(default_factory=set)  # errors of parts of the page, in this run
    image_error: AppError | None = None
    last_request: tuple[GenerationRequest, str, float] | None = None
    notice: str | None = None
    # Cursors that led to the page of a list that is shown, by the list's name.
    trails: dict[str, tuple[str, ...]] = field(default_factory=dict)
    # The message a link led to, and the conversation's last one at that moment.
    found: tuple[str, str] | None = None
    imported: ImportResult | None = None
    upload_round: int = 0  # counts up to empty the file inputs
    stopped_model: ImageModel | None = None  # was chosen in the form, and left for its successor
    # What the form of the Images page is to hold when it is drawn next.
    wanted: GenerationRequest | None = None
    wanted_way: str = ""  # the kind whose form is opened then
    wanted_empty: bool = False  # without the words that stood there for something else
    wanted_references: tuple[ReferenceImage, ...] = ()  # of it
    pictures: tuple[ReferenceImage, ...] = ()  # of the forms that take several
    reference: ReferenceImage | None = None  # of the form, when no file is chosen there
    dropped: bytes | None = None  # a picture of ours whose record filled the form
    has_unread_record: bool = False  # the picture of the form: its record fills no form
    prepared_upload: PreparedUpload | None = None  # the chosen file as it is sent
    fitted_upload: str | None = None  # id of the file that is to be brought within the limits
    opened_here: bool = False  # the large view, by a click: the browser can go back from it
    closed_picture_id: str | None = None  # is in the address still, until the browser goes back
    elements: tuple[Element, ...] | None = None  # of the account, once they were asked for
    to_ask: str | None = None  # words that the chat's box is to hold when it is drawn next
    gallery_page: int = 1
    draft_taken: bool = False  # what the browser kept of the Images form, once in a session
    arrangement: tuple[str, str] | None = None  # of the gallery: sort order, size of tiles
    picked: dict[str, int] = field(default_factory=dict)  # sizes in bytes, by picture
    deleted_pictures: tuple[str, ...] = ()
    deleted_generation_id: str | None = None
    recovered: RecoveryResult | None = None
    invitation: Invitation | None = None  # the one-time link that was made last
    new_token: tuple[str, str] | None = None  # name and token of the last one, until it is hidden
    checks: dict[ProviderName, Account | AppError] = field(default_factory=dict)
    # What the Money page was told of each account last, and when.
    balances: dict[ProviderName, tuple[Account | AppError, datetime]] = field(default_factory=dict)
    reconciled: Reconciliation | None = None
    balance_drop: BalanceDrop | None = None
    confirmed: tuple[object, ...] | None = None  # what a second press of would be spent on


def state() -> SessionState:
    """Return this session's state."""
    if _STATE not in st.session_state:
        st.session_state[_STATE] = SessionState()
    return cast(SessionState, st.session_state[_STATE])


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


# -- language --------------------------------------------------------------------------------------


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


# -- the conversation at hand ----------------------------------------------------------------------


def enter_page(page: str) -> bool:
    """Note which page is drawn; True when the last run drew another one."""
    known = state()
    is_first_run = known.page != page
    known.page = page
    known.told.clear()
    return is_first_run


def current_conversation(*, is_first_run: bool) -> Conversation | None:
    """Return the conversation that the URL names; None for a new one.

    Who comes back from another page (`is_first_run`) finds the conversation that was left there.
    """
    known = state()
    named = st.query_params.get(_CONVERSATION_PARAMETER)
    if named is not None or not is_first_run:
        known.conversation_id = named
    if known.conversation_id is None:
        return None
    conversation = studio().store.conversations.get(owner(), known.conversation_id)
    if conversation is None:
        if named is not None and known.deleted_conversation is None:
            known.notice = text("chat.gone")
        open_conversation(None)
    elif named is None:
        open_conversation(conversation.id)
    return conversation


def open_conversation(conversation_id: str | None) -> None:
    """Make a conversation the current one, in the URL too; None begins a new one."""
    state().conversation_id = conversation_id
    st.query_params.pop(_MESSAGE_PARAMETER, None)
    if conversation_id is None:
        st.query_params.pop(_CONVERSATION_PARAMETER, None)
    else:
        st.query_params[_CONVERSATION_PARAMETER] = conversation_id


def link_to(conversation_id: str, message_id: str | None = None) -> dict[str, str]:
    """Return the URL parameters that open a conversation, at one of its messages if given."""
    parameters = {_CONVERSATION_PARAMETER: conversation_id}
    return parameters if message_id is None else parameters | {_MESSAGE_PARAMETER: message_id}


def linked_message() -> str | None:
    """Return the message that the URL leads to."""
    return st.query_params.get(_MESSAGE_PARAMETER)


def leave_linked_message() -> None:
    """Show the whole conversation again."""
    st.query_params.pop(_MESSAGE_PARAMETER, None)


def take_notice() -> str | None:
    """Return a remark left for the next run, once."""
    known = state()
    notice, known.notice = known.notice, None
    return notice
