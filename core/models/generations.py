"""Values of the generations column: requests of each kind, tasks, pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal

from core.models.money.charges import Charge

Provider = Literal["kling", "practice"]
AspectRatio = Literal["16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9"]
Resolution = Literal["1k", "2k"]

UNREADABLE_TEXT_ID = "error.pictures_unreadable"  # paid for, and its files cannot be read


@dataclass(frozen=True, slots=True)
class ReferenceImage:
    """A picture that goes with the prompt, as it is sent: made by `archive/uploads`."""

    content: bytes
    media_type: Literal["image/png", "image/jpeg"]


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What a provider is asked for, of whatever kind: the fields that rows are filtered by.

    A kind is a subclass that stands in `models.kinds`, and an endpoint of its provider. As itself
    it is a stored request of a kind that this version does not know.
    """

    kind: ClassVar[str] = ""
    package: ClassVar[str] = ""  # the provider's package it is paid from; each has its own slots
    # Whether its task can be asked for, by our own id and in a list. Where not, the reply to the
    # create is all there is, and what had none is never sent again but by a person.
    is_looked_up: ClassVar[bool] = True

    prompt: str
    model_name: str = ""
    aspect_ratio: str = ""
    resolution: str = ""
    n: int = 1  # files that a finished task brings
    has_image: bool = False  # a reference picture goes with it; its bytes travel and are kept apart

    @property
    def slots(self) -> int:
        """How many of the package's concurrency slots it takes while it runs."""
        return 1

    @property
    def reference_count(self) -> int:
        """How many reference pictures go with it."""
        return int(self.has_image)

    @property
    def n_least(self) -> int:
        """How many files it brings at least; where fewer come, that is told."""
        return self.n

    @property
    def price_key(self) -> tuple[str, str]:
        """Under which kind and model the price list has it."""
        return self.kind, self.model_name

    @property
    def price_facts(self) -> Mapping[str, object]:
        """What of it decides the price of a piece, besides kind and model."""
        return {"has_image": self.has_image, "resolution": self.resolution}


@dataclass(frozen=True, slots=True)
class ImageRequest(GenerationRequest):
    """What Kling is asked to draw (`POST /v1/images/generations`), minus the reference's bytes.

    None leaves a field out of the request.
    """

    kind: ClassVar[str] = "image"
    package: ClassVar[str] = "image"

    model_name: str = "kling-v3"
    aspect_ratio: AspectRatio = "1:1"
    resolution: Resolution = "1k"
    negative_prompt: str = ""
    image_reference: Literal["subject", "face"] | None = None
    image_fidelity: float | None = None
    human_fidelity: float | None = None
    element_ids: tuple[int, ...] = ()
    watermark: bool = False
    callback_url: str | None = None
    is_typed: bool = False  # a person typed the model's name, which this version does not know

    @property
    def slots(self) -> int:
        """How many slots it takes: Kling counts pictures, not tasks (kling.md section 7)."""
        return self.n


class TaskStatus(StrEnum):
    """Kling's own word for a task; unknown words read as PROCESSING."""

    SUBMITTED = "submitted"
    PROCESSING = "processing"
    SUCCEED = "succeed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TaskImage:
    """One finished picture of a task. The links are signed: never stored, logged or shown."""

    index: int
    url: str = field(repr=False)
    watermark_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KlingTask:
    """A task as Kling reports it."""

    task_id: str
    status: TaskStatus
    status_message: str = ""
    external_task_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    images: tuple[TaskImage, ...] = ()
    unit_deduction: str | None = None  # as it was written
    charges: tuple[Charge, ...] = ()  # what it cost; said once it has ended
    request_id: str | None = None
    kind: str = ImageRequest.kind


class GenerationStatus(StrEnum):
    """Where a paid task stands, from the intent to the archived files."""

    INTENDED = "intended"  # written down, not sent
    UNCERTAIN = "uncertain"  # sent, and no answer told what became of it
    SUBMITTED = "submitted"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"  # Kling is done, files are on their way
    ARCHIVED = "archived"  # every file is in the archive
    FAILED = "failed"  # Kling ended it, with a reason
    REFUSED = "refused"  # refused for certain, nothing was bought
    CANCELLED = "cancelled"  # by a person, before it was sent

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it."""
        return self in _FINAL


_FINAL = frozenset(
    {
        GenerationStatus.ARCHIVED,
        GenerationStatus.FAILED,
        GenerationStatus.REFUSED,
        GenerationStatus.CANCELLED,
    }
)


@dataclass(frozen=True, slots=True)
class Picture:
    """One archived picture. `name` is its file's name inside the archive, thumbnails share it."""

    id: str
    generation_id: str
    index: int
    name: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    sha256: str
    created_at: datetime
    favourite: bool = False


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation of some kind, its task at the provider, and what came of it."""

    id: str
    owner: str
    external_task_id: str
    request: GenerationRequest
    status: GenerationStatus
    provider: Provider
    created_at: datetime
    updated_at: datetime
    task_id: str | None = None
    submitted_at: datetime | None = None
    finished_at: datetime | None = None
    error_text_id: str | None = None
    error_facts: dict[str, object] = field(default_factory=dict)
    error_detail: str = ""
    unit_deduction: str | None = None
    origin: Literal["page", "http", "recovered"] = "page"
    idempotency_key: str | None = None
    sending_at: datetime | None = None  # a POST may be on its way; set just before it is sent
    attempts: int = 0  # POSTs begun
    poll_count: int = 0
    next_check_at: datetime | None = None
    pictures: tuple[Picture, ...] = ()

    @property
    def kind(self) -> str:
        """What was asked for; empty where this version does not know it."""
        return self.request.kind


@dataclass(frozen=True, slots=True)
class Note:
    """Why a step was taken: a text of the catalogue with its facts."""

    text_id: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GenerationEvent:
    """One step in a generation's history: when, what, why.

    The note is text where an earlier version wrote it, or where there is nothing to say.
    """

    generation_id: str
    at: datetime
    status: GenerationStatus
    note: Note | str = ""
