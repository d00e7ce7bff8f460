"""The registry of kinds: what may be asked for, and how a request is checked and stored.

A new kind is one line in each room that has something to say of it: its GenerationRequest here, its
endpoint at the provider (`providers/kling/endpoints`), its price (`prices/*.toml`). Rows, worker,
polling, collection and ledger take it as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import InputError
from core.models.generations import GenerationRequest, ImageRequest
from core.models.image_rules import ReferenceFacts, check_image_request, check_reference
from core.models.kling_catalogue import IMAGE_MODELS
from core.models.pictures.expand import ExpandRequest, check_expand
from core.models.pictures.multi import MULTI_MODELS, MultiRequest, check_multi
from core.models.pictures.omni import OMNI_MODELS, OmniRequest, check_omni
from core.models.speech import SpeechRequest, check_speech


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of request; `check` raises InputError for the first rule that its fields break."""

    request_type: type[GenerationRequest]
    check: Callable[[Any], None]
    titles: Mapping[str, str] = field(default_factory=dict)  # of its models, by their names


KINDS: dict[str, Kind] = {
    ImageRequest.kind: Kind(
        ImageRequest, check_image_request, {model.name: model.title for model in IMAGE_MODELS}
    ),
    OmniRequest.kind: Kind(
        OmniRequest, check_omni, {model.name: model.title for model in OMNI_MODELS}
    ),
    ExpandRequest.kind: Kind(ExpandRequest, check_expand),
    MultiRequest.kind: Kind(MultiRequest, check_multi, MULTI_MODELS),
    SpeechRequest.kind: Kind(SpeechRequest, check_speech),
}


def looked_up_kinds() -> tuple[str, ...]:
    """Return the kinds whose tasks the provider tells of when it is asked."""
    return tuple(name for name, kind in KINDS.items() if kind.request_type.is_looked_up)


def package_of(kind: str) -> str:
    """Return the package that a kind is paid from; empty for a kind that is not known."""
    return KINDS[kind].request_type.package if kind in KINDS else ""


def packages() -> frozenset[str]:
    """Return the packages that something can be paid from; each has a queue of its own."""
    return frozenset(kind.request_type.package for kind in KINDS.values())


def model_title(name: str) -> str | None:
    """Return the title of a model of any kind; None where this version does not know it."""
    return next((kind.titles[name] for kind in KINDS.values() if name in kind.titles), None)


def check_fields(request: GenerationRequest) -> None:
    """Raise InputError for the first rule that a request breaks, whatever its pictures are.

    How many there may be is among the rules: asked before any of them is decoded.
    """
    KINDS[request.kind].check(request)


def check_request(request: GenerationRequest, references: Sequence[ReferenceFacts] = ()) -> None:
    """Raise InputError for the first rule that a request with its reference pictures breaks."""
    check_fields(request)
    if len(references) != request.reference_count:
        raise InputError("image", "error.reference_missing")
    for reference in references:
        check_reference(reference)


def request_from_json(kind: str, value: Mapping[str, Any]) -> GenerationRequest:
    """Return a stored request; what a later or earlier version called otherwise is left out."""
    request_type = KINDS[kind].request_type if kind in KINDS else GenerationRequest
    names = request_type.__match_args__  # of its fields
    known = {name: value[name] for name in names if name in value}
    lists = {name: tuple(part) for name, part in known.items() if isinstance(part, list)}
    return request_type(**known | lists)
