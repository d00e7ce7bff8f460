"""Kling's create body as other front ends post it, to the studio's own request."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from core.errors import InputError
from core.models.generations import ImageRequest, ReferenceImage

# What Kling takes where a field is missing (kling.md section 3).
DEFAULT_RATIO = "16:9"
DEFAULT_RESOLUTION = "1k"
EXTERNAL_ID_MOST = 200

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class KlingRequest:
    """A wish for pictures in Kling's words."""

    request: ImageRequest
    reference: ReferenceImage | None
    external_task_id: str | None


def kling_request_from_json(body: Mapping[str, Any]) -> KlingRequest:
    """Return the request in a create body; InputError names the field that is wrong."""
    # The official client sends null for what it leaves out.
    fields = {name: value for name, value in body.items() if value is not None}
    reference = _reference(_text(fields, "image"))
    request = ImageRequest(
        prompt=_text(fields, "prompt"),
        model_name=_text(fields, "model_name") or ImageRequest(prompt="").model_name,
        negative_prompt=_text(fields, "negative_prompt"),
        # These three are checked against the model's own lists where every request is checked.
        aspect_ratio=_text(fields, "aspect_ratio") or DEFAULT_RATIO,  # type: ignore[arg-type]
        resolution=_text(fields, "resolution") or DEFAULT_RESOLUTION,  # type: ignore[arg-type]
        n=_whole_number(fields, "n", 1),
        has_image=reference is not None,
        image_reference=_text(fields, "image_reference") or None,  # type: ignore[arg-type]
        image_fidelity=_number(fields, "image_fidelity"),
        human_fidelity=_number(fields, "human_fidelity"),
        element_ids=_elements(fields.get("element_list")),
        watermark=_watermark(fields.get("watermark_info")),
        callback_url=_text(fields, "callback_url") or None,
    )
    external_task_id = _text(fields, "external_task_id")
    if len(external_task_id) > EXTERNAL_ID_MOST or not external_task_id.isprintable():
        raise InputError(
            "external_task_id",
            "error.external_task_id_malformed",
            facts={"limit": EXTERNAL_ID_MOST},
        )
    return KlingRequest(request, reference, external_task_id or None)


def _reference(image: str) -> ReferenceImage | None:
    if not image:
        return None
    if image.startswith(("http://", "https://")):
        _refuse("image", "base64_here")
    if image.startswith("data:"):
        _refuse("image", "base64_bare")
    try:
        content = base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError):
        _refuse("image", "base64")
    is_png = content.startswith(_PNG)
    return ReferenceImage(content, "image/png" if is_png else "image/jpeg")


def _elements(value: object) -> tuple[int, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        _refuse("element_list", "list")
    ids = [entry.get("element_id") if isinstance(entry, dict) else None for entry in value]
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in ids):
        _refuse("element_list", "elements")
    return tuple(one for one in ids if one is not None)


def _watermark(value: object) -> bool:
    enabled = value.get("enabled", False) if isinstance(value, dict) else value or False
    if not isinstance(enabled, bool):
        _refuse("watermark_info", "watermark")
    return enabled


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        _refuse(name, "string")
    return value


def _whole_number(fields: Mapping[str, Any], name: str, default: int) -> int:
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse(name, "whole_number")
    return value


def _number(fields: Mapping[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e9 < value < 1e9:
        _refuse(name, "number")
    return float(value)


def _refuse(name: str, expected: str) -> NoReturn:
    raise InputError(name, "error.kling_field", facts={"field": name, "expected": expected})
