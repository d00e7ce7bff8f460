"""A second kind, of tests only: clips, made at their own path and paid from another package."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import pytest

from core.errors import InputError
from core.models.generations import GenerationRequest, ReferenceImage
from core.models.kinds import KINDS, Kind
from core.providers.kling.endpoints import ENDPOINTS, Endpoint

CLIPS_PATH = "/v1/tests/clips"
CLIPS = {CLIPS_PATH: "clips"}  # for the fake: where a finished task's files stand


@dataclass(frozen=True, slots=True)
class ClipRequest(GenerationRequest):
    """Two files of one task; it takes one slot, as Kling counts all but pictures."""

    kind: ClassVar[str] = "clip"
    package: ClassVar[str] = "video"

    model_name: str = "kling-v3"  # a name that pictures have too
    n: int = 2
    seconds: int = 5
    shots: tuple[str, ...] = ()


def check_clip(request: ClipRequest) -> None:
    """Refuse what no clip lasts."""
    if not 3 <= request.seconds <= 15:
        raise InputError("seconds", "error.field_not_a_share", facts={"field": "seconds"})


def clip_body(request: ClipRequest, references: Sequence[ReferenceImage]) -> dict[str, Any]:
    """Return the fields as they are."""
    assert not references
    return asdict(request)


def register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it a kind like any other until the test ends."""
    monkeypatch.setitem(KINDS, ClipRequest.kind, Kind(ClipRequest, check_clip))
    monkeypatch.setitem(ENDPOINTS, ClipRequest.kind, Endpoint(CLIPS_PATH, clip_body, ("clips",)))
