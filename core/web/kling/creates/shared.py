"""Fields that Kling's create bodies share, as other front ends post them."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, TypeVar

from msgspec import Meta, Struct

from core.archive.uploads.decoding import FORMATS
from core.errors import InputError
from core.models.generations import GenerationRequest
from core.web.posted_fields import FieldError, validated

EXTERNAL_ID_MOST = 200
_ID_MOST = 2**63 - 1
_IMAGE = f"Bare base64 of a picture ({', '.join(FORMATS)}); sent on upright, without metadata."
_Body = TypeVar("_Body", bound=Struct)


def described(**schema: object) -> Meta:
    """Return what `/openapi.json` adds: looked at elsewhere, with the model's own lists."""
    return Meta(extra_json_schema=schema)


Prompt = Annotated[str, described(minLength=1, maxLength=2500)]
Count = Annotated[int, described(minimum=1, maximum=9)]
Picture = Annotated[Any, described(type=["string", "null"], description=_IMAGE)]
ExternalId = Annotated[str, described(maxLength=EXTERNAL_ID_MOST)]


class Element(Struct):
    """One of the account's elements."""

    element_id: Annotated[int, Meta(ge=1, le=_ID_MOST)]


class Watermark(Struct):
    """Whether Kling is to sign the picture."""

    enabled: bool = False


@dataclass(frozen=True, slots=True)
class KlingRequest:
    """A request for pictures in Kling's words."""

    request: GenerationRequest
    pictures: tuple[bytes, ...]  # the references, as posted
    external_task_id: str | None
    message_id: str | None = None  # of the conversation's message that it is drawn from


# What a field must be that is not as its Struct has it, by its name; every other is a text.
_EXPECTED = {
    "n": "whole_number",
    **dict.fromkeys(("image_fidelity", "human_fidelity", "voice_speed"), "number"),
    **{f"{side}_expansion_ratio": "number" for side in ("up", "down", "left", "right")},
    "subject_image_list": "pictures",
    "element_list": "list",
    "image_list": "pictures",
    "watermark_info": "watermark",
    "series_amount": "series_amount",
}


def posted(body: Mapping[str, Any], kind: type[_Body]) -> _Body:
    """Return a body's fields; InputError says what the first wrong one must be."""
    # What is empty leaves a watermark out, as null does.
    fields = {**body, "watermark_info": body.get("watermark_info") or None}
    try:
        return validated(fields, kind)
    except FieldError as error:
        if error.field == "element_list" and error.path:
            refuse(error.field, "elements")
        refuse(error.field, _EXPECTED.get(error.field, "string"))


def is_signed(watermark: bool | Watermark | None) -> bool:
    """Tell whether a signed copy is wanted, in either way it is said."""
    return watermark.enabled if isinstance(watermark, Watermark) else bool(watermark)


def own_id(posted_id: str | None) -> str | None:
    """Return the caller's own id; InputError where it is none that can be kept."""
    external_task_id = posted_id or ""
    if len(external_task_id) > EXTERNAL_ID_MOST or not external_task_id.isprintable():
        raise InputError(
            "external_task_id",
            "error.external_task_id_malformed",
            facts={"limit": EXTERNAL_ID_MOST},
        )
    return external_task_id or None


def posted_picture(image: object, name: str = "image") -> bytes | None:
    """Return the bytes of a picture in a body, whatever they are; InputError if it is no base64."""
    if image is None or image == "":
        return None
    if not isinstance(image, str):
        refuse(name, "string")
    if image.startswith(("http://", "https://")):
        refuse(name, "base64_here")
    if image.startswith("data:"):
        refuse(name, "base64_bare")
    try:
        return base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError):
        refuse(name, "base64")


def listed_pictures(entries: object, name: str, inner: str) -> tuple[bytes, ...]:
    """Return the pictures of a list whose entries hold one each."""
    if entries is None:
        return ()
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        refuse(name, "pictures")
    found = [posted_picture(entry.get(inner), name) for entry in entries]
    if any(content is None for content in found):
        refuse(name, "pictures")
    return tuple(content for content in found if content is not None)


def refuse(name: str, expected: str) -> NoReturn:
    """Raise what a field must be."""
    raise InputError(name, "error.kling_field", facts={"field": name, "expected": expected})
