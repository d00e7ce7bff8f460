"""What one browser session keeps between runs: ids and drafts. The store holds the truth."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import uuid4

from core.access.invitations import Invitation
from core.errors import AppError, InputError
from core.models.chat import ChatParameters, Conversation
from core.models.generations import GenerationRequest, ReferenceImage
from core.models.kling_catalogue import ImageModel
from core.models.pictures.elements import Element
from core.models.pictures.proposal import PictureProposal
from core.providers.deepseek.wire import Balance
from core.providers.kling.wire import AccountCosts
from core.storage.chat.branches import RemovedTurn
from core.storage.transfer.imports import ImportResult
from core.texts.catalogue import Language
from core.work.attachments.extraction import ReadFile
from core.work.generations.recovery import RecoveryResult
from core.work.money.reconcile import BalanceDrop, Reconciliation

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
class BoxWords:
    """What a chat box is to hold, until a browser has it for certain."""

    words: str
    drawn_at: float | None = None  # by the monotonic clock


@dataclass
class OpenDrawing:
    """The form under a message in which a picture of it is proposed."""

    message_id: str
    passage: str = ""  # what of the message is drawn; empty: all of it
    asking: Future[PictureProposal] | None = None
    proposal: PictureProposal | None = None  # what the form held first
    asking_milder: Future[tuple[str, ...]] | None = None
    wordings: tuple[str, ...] = ()
    error: AppError | None = None


@dataclass
class SessionState:
    """Everything a session remembers between runs."""

    language: Language | None = None
    page: str | None = None
    visitor_id: str | None = None
    drawn_for: tuple[str | None, ...] | None = None  # who sat there as the page was drawn
    conversation_id: str | None = None
    begun_at: float | None = None  # by the monotonic clock, where it was begun by a question
    # Parameters of a conversation that has no row yet; also where the next new one starts.
    parameters: ChatParameters | None = None
    system_prompt: str = ""
    deleted_conversation: Conversation | None = None
    conversations_shown: int | None = None  # in the sidebar; None: as many as at first
    download: PreparedDownload | None = None
    # For whom and for which caller, the ticket, until when.
    reading_ticket: tuple[tuple[str, str], str, float] | None = None
    put_away: set[str] = field(default_factory=set)  # notices, by the keys of their places
    renaming: bool = False
    palette: Literal["search", "sheet"] | None = None  # what is open over the page
    go_to: Target | None = None
    editing_id: str | None = None
    previewed: set[str] = field(default_factory=set)  # ids of answers whose previews are open
    removed_turn: RemovedTurn | None = None  # the last one, which can be brought back
    earliest_turn: str | None = None  # the question from which a long conversation is drawn
    error: AppError | None = None
    told: set[str] = field(default_factory=set)  # errors of parts of the page, in this run
    drawing: OpenDrawing | None = None
    image_error: AppError | None = None
    last_request: tuple[GenerationRequest, str, float] | None = None
    notice: str | None = None
    reread_error: AppError | None = None  # why settings that were read again are not used
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
    # Files that wait in the chat's composer, by its place, and those that could not be read.
    attached: dict[str, tuple[ReadFile, ...]] = field(default_factory=dict)
    boxes: dict[str, BoxWords] = field(default_factory=dict)  # what chat boxes are to hold
    unread_files: tuple[AppError, ...] = ()
    # How many messages the browser may show of the chat, and how many of them ahead of the page.
    messages_seen: int = 0
    ahead_seen: int = 0
    to_attach: tuple[str, bytes] | None = None  # a file that goes with it, by its name
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
    # What is done beside the page, by its name, until a page takes what it came to.
    asked: dict[str, Future[object]] = field(default_factory=dict)
    confirmed: tuple[object, ...] | None = None  # what a second press of would be spent on
