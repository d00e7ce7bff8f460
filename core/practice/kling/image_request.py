"""What `POST /v1/images/generations` accepts, by the rules of Kling's image page."""

import base64
import binascii
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from PIL import Image, UnidentifiedImageError

from core.models.generations import ImageRequest
from core.models.kling_catalogue import ALL_RATIOS, ImageModel, find_image_model
from core.models.money.amounts import CNY
from core.models.money.prices import PRICES
from core.practice.kling.refusal import KlingRefusal, bad_parameter
from core.practice.painting.brush import Rgb

MOST_CHARACTERS = 2500
MOST_PICTURES = 9
MOST_REFERENCES = 10
MOST_IMAGE_BYTES = 10 * 1024 * 1024
LEAST_SIDE_PIXELS = 300
WIDEST_RATIO = 2.5
DEFAULT_MODEL = "kling-v3"  # by the docs of autumn 2026
_OMNI_MODELS = ("kling-v3-omni", "kling-image-o1")
_REFUSED_WORDS = re.compile(r"血腥|暴力|\bgore\b|\bgory\b|\bviolen(?:ce|t)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reference:
    """What is kept of a reference picture: not its bytes. None where only a URL came."""

    width: int | None = None
    height: int | None = None
    tint: Rgb | None = None


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """A checked request."""

    prompt: str
    model_name: str
    n: int
    aspect_ratio: str
    resolution: str
    restyles: bool
    has_image: bool
    units: int | None  # None where the table of prices does not tell
    list_price: Decimal | None  # CNY
    watermark: bool
    external_task_id: str | None
    reference: Reference | None


def picture_request_from_json(body: bytes, *, at: datetime) -> PictureRequest:
    """Return the request in `body`, or raise the refusal Kling would send at that moment."""
    fields = _fields(body)
    # `model`, the older name, is ignored without a word (Kling's image page).
    model = _model(fields.get("model_name"))
    if model.is_stopped(at):
        # What Kling answers was not found (money.md section 2.1); its code table says 1203.
        raise KlingRefusal(1203, f"The model {model.name} is no longer available")
    prompt = _text(fields, "prompt", MOST_CHARACTERS)
    if not prompt:
        raise bad_parameter("prompt", "must not be empty")
    reference = _reference(fields.get("image"))
    if reference is not None and _text(fields, "negative_prompt", MOST_CHARACTERS):
        raise bad_parameter("negative_prompt", "is not supported together with image")
    _text(fields, "negative_prompt", MOST_CHARACTERS)
    _check_reference_fields(fields, model, has_image=reference is not None)
    n = _count(fields.get("n"))
    if reference is None and not model.text_to_image:
        raise bad_parameter("image", f"is required by {model.name}")
    if _REFUSED_WORDS.search(prompt):
        raise KlingRefusal(1301)
    resolution = _resolution(fields.get("resolution"), model, has_image=reference is not None)
    facts = {"has_image": reference is not None, "resolution": resolution}
    price = PRICES.pieces(ImageRequest.kind, model.name, facts, at)
    return PictureRequest(
        prompt=prompt,
        model_name=model.name,
        n=n,
        aspect_ratio=_ratio(fields.get("aspect_ratio"), model, has_image=reference is not None),
        resolution=resolution,
        restyles=model.restyles and reference is not None,
        has_image=reference is not None,
        units=int(price.units * n) if price is not None and price.units else None,
        list_price=price.amount(CNY, pieces=n) if price is not None else None,
        watermark=_watermark(fields.get("watermark_info")),
        external_task_id=_external_task_id(fields),
        reference=reference,
    )


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise KlingRefusal(1200, "The request body is not JSON") from error
    if not isinstance(fields, dict):
        raise KlingRefusal(1200, "The request body is not a JSON object")
    # The official client sends null for what it leaves out.
    return {name: value for name, value in fields.items() if value is not None}


def _model(name: object) -> ImageModel:
    if name in _OMNI_MODELS:
        raise bad_parameter("model_name", f"{name} is served by /v1/images/omni-image")
    model = find_image_model(name) if isinstance(name, str) and name else None
    if model is None and name is None:
        model = find_image_model(DEFAULT_MODEL)
    if model is None:
        raise bad_parameter("model_name", f"value '{name}' is invalid")
    return model


def _text(fields: Mapping[str, Any], name: str, most: int) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise bad_parameter(name, "must be a string")
    if len(value) > most:
        raise bad_parameter(name, f"must not be longer than {most} characters")
    return value


def _count(n: object) -> int:
    if n is None:
        return 1
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_PICTURES:
        raise bad_parameter("n", f"must be an integer from 1 to {MOST_PICTURES}")
    return n


def _ratio(ratio: object, model: ImageModel, *, has_image: bool) -> str:
    if ratio is None:
        return "16:9"
    if ratio not in ALL_RATIOS:
        raise bad_parameter("aspect_ratio", f"value '{ratio}' is invalid")
    offered = model.ratios_for(has_image=has_image)
    if offered and ratio not in offered:
        raise bad_parameter("aspect_ratio", f"value '{ratio}' is not supported by {model.name}")
    return str(ratio)


def _resolution(resolution: object, model: ImageModel, *, has_image: bool) -> str:
    if resolution is None:
        return "1k"
    if resolution not in ("1k", "2k"):
        raise bad_parameter("resolution", f"value '{resolution}' is invalid")
    if resolution not in model.resolutions_for(has_image=has_image):
        raise bad_parameter("resolution", f"value '{resolution}' is not supported by {model.name}")
    return str(resolution)


def _watermark(info: object) -> bool:
    if info is None:
        return False
    enabled = info.get("enabled", False) if isinstance(info, dict) else None
    if not isinstance(enabled, bool):
        raise bad_parameter("watermark_info", "must be an object with a boolean enabled")
    return enabled


def _external_task_id(fields: Mapping[str, Any]) -> str | None:
    callback_url = fields.get("callback_url", "")
    if not isinstance(callback_url, str) or not re.match(r"https?://|$", callback_url):
        raise bad_parameter("callback_url", "must be a URL")
    external_task_id = fields.get("external_task_id", "")
    if not isinstance(external_task_id, str):
        raise bad_parameter("external_task_id", "must be a string")
    return external_task_id or None


def _check_reference_fields(
    fields: Mapping[str, Any], model: ImageModel, *, has_image: bool
) -> None:
    kind = fields.get("image_reference")
    if kind not in (None, "", "subject", "face"):
        raise bad_parameter("image_reference", f"value '{kind}' is invalid")
    if kind and not has_image:
        raise bad_parameter("image", "is required when image_reference is set")
    if kind and not model.takes_image_reference:
        raise bad_parameter("image_reference", f"is not supported by {model.name}")
    if has_image and model.needs_image_reference and not kind:
        raise bad_parameter("image_reference", f"is required by {model.name} with image")
    offers = {
        "image_fidelity": model.takes_image_fidelity,
        "human_fidelity": model.takes_human_fidelity,
    }
    for name, offered in offers.items():
        value = fields.get(name)
        if value is None:
            continue
        if not offered:
            raise bad_parameter(name, f"is not supported by {model.name}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise bad_parameter(name, "must be a number from 0 to 1")
    _check_elements(fields.get("element_list"), model, pictures=1 if has_image else 0)


def _check_elements(elements: object, model: ImageModel, *, pictures: int) -> None:
    if elements is None or elements == []:
        return
    if not model.takes_elements:
        raise bad_parameter("element_list", f"is not supported by {model.name}")
    if not isinstance(elements, list):
        raise bad_parameter("element_list", "must be an array")
    for element in elements:
        element_id = element.get("element_id") if isinstance(element, dict) else None
        if isinstance(element_id, bool) or not isinstance(element_id, int):
            raise bad_parameter("element_list", "must hold objects with an integer element_id")
    if len(elements) + pictures > MOST_REFERENCES:
        raise bad_parameter("element_list", f"and images must not exceed {MOST_REFERENCES}")


def _reference(image: object) -> Reference | None:
    if image is None or image == "":
        return None
    if not isinstance(image, str):
        raise bad_parameter("image", "must be a URL or base64")
    if image.startswith(("http://", "https://")):
        return Reference()  # never fetched: nothing leaves this machine
    if image.startswith("data:"):
        raise bad_parameter("image", "must be base64 without a data: prefix")
    try:
        content = base64.b64decode(image, validate=True)
    except binascii.Error as error:
        raise bad_parameter("image", "is neither a URL nor valid base64") from error
    if len(content) > MOST_IMAGE_BYTES:
        raise bad_parameter("image", "must not be larger than 10MB")
    return _measured(content)


def _measured(content: bytes) -> Reference:
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
            width, height = picture.size
            _check_size(width, height)
            mean = picture.convert("RGB").resize((1, 1), Image.Resampling.BOX).tobytes()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError) as error:
        raise bad_parameter("image", "must be a jpg, jpeg or png file") from error
    return Reference(width, height, (mean[0], mean[1], mean[2]))


def _check_size(width: int, height: int) -> None:
    if min(width, height) < LEAST_SIDE_PIXELS:
        raise bad_parameter("image", f"width and height must be at least {LEAST_SIDE_PIXELS}px")
    if max(width, height) > WIDEST_RATIO * min(width, height):
        raise bad_parameter("image", "aspect ratio must be between 1:2.5 and 2.5:1")
