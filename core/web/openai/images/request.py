"""OpenAI's picture requests to Kling's: models by name, sizes by the nearest ratio."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from core.errors import InputError
from core.models.generations import ImageRequest
from core.models.kling_catalogue import OFFERED_MODELS, ImageModel, find_image_model
from core.models.notices import Notice
from core.web.chat.posted.fields import Fate, ignored_in
from core.web.http_call import HttpCallError
from core.web.posted_fields import FieldError, validated

# Clients have these names built in: they mean whatever draws here.
_OPENAI_MODELS = re.compile(r"(dall-e|gpt-image|chatgpt-image)[a-z0-9.-]*")
_BASE64_MODELS = re.compile(r"(gpt-image|chatgpt-image)")
_SIZE = re.compile(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})")
_OFF_BY = 0.06  # of a ratio: 1792x1024 is 16:9
_2K_FROM = 1536  # pixels of the longer side that 1k does not give

FATES: Mapping[str, Fate] = {
    "prompt": Fate.PASSED,
    "model": Fate.UNDERSTOOD,
    "n": Fate.PASSED,
    "size": Fate.UNDERSTOOD,
    "response_format": Fate.UNDERSTOOD,
    "negative_prompt": Fate.PASSED,
    "image": Fate.PASSED,
    "mask": Fate.REFUSED,
    "stream": Fate.REFUSED,
    "partial_images": Fate.REFUSED,
}
_AS_EVER: Mapping[str, tuple[object, ...]] = {
    "quality": ("auto", "standard", "medium"),
    "style": ("vivid",),
    "background": ("auto", "opaque"),
    "moderation": ("auto",),
    "output_format": ("png",),
}


class OpenAIImageBody(Struct):
    """OpenAI's fields of a picture, and Kling's `negative_prompt`."""

    prompt: Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": 2500})]
    model: str | None = None
    n: Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": 9})] | None = None
    size: str | None = None
    response_format: Literal["url", "b64_json"] | None = None
    negative_prompt: str | None = None


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """What is to be drawn, and how it is handed over."""

    request: ImageRequest
    as_base64: bool
    notices: tuple[Notice, ...] = ()


def picture_request(fields: Mapping[str, Any], *, has_image: bool) -> PictureRequest:
    """Return the request in a body; HttpCallError or InputError names the field that is wrong."""
    for name, fate in FATES.items():
        if fate is Fate.REFUSED and fields.get(name):
            raise _wrong(name, "http.not_offered")
    try:
        posted = validated({"prompt": "", **fields}, OpenAIImageBody)
    except FieldError as error:
        raise _wrong(error.field, "http.want_described") from error
    named = (posted.model or "").strip()
    is_openais = _OPENAI_MODELS.fullmatch(named) is not None
    model = OFFERED_MODELS[0] if is_openais or not named else find_image_model(named)
    ratio, resolution = _form(posted.size, model or OFFERED_MODELS[0], has_image=has_image)
    notices = []
    if is_openais:
        facts = {"asked": named[:60], "model": OFFERED_MODELS[0].name}
        notices.append(Notice("notice.model_stands_in", facts))
    if names := ignored_in(fields, speaks_deepseek=True, fates=FATES, as_ever=_AS_EVER):
        notices.append(Notice("notice.fields_ignored", {"names": ", ".join(names)}))
    request = ImageRequest(
        prompt=posted.prompt,
        model_name=model.name if model is not None else named,
        negative_prompt=posted.negative_prompt or "",
        aspect_ratio=ratio,  # type: ignore[arg-type]
        resolution=resolution,  # type: ignore[arg-type]
        n=1 if posted.n is None else posted.n,
        has_image=has_image,
    )
    form = posted.response_format
    as_base64 = form == "b64_json" or (form is None and bool(_BASE64_MODELS.match(named)))
    return PictureRequest(request, as_base64, tuple(notices))


def field_of(error: InputError) -> str:
    """Return OpenAI's name of the field that a rule of Kling's is about."""
    ours = {"model_name": "model", "aspect_ratio": "size", "resolution": "size"}
    return ours.get(error.field, error.field)


def _form(size: str | None, model: ImageModel, *, has_image: bool) -> tuple[str, str]:
    """Return the ratio and resolution that come nearest to a size."""
    if not size or size == "auto":
        return "1:1", "1k"
    found = _SIZE.fullmatch(size.strip().lower())
    if found is None:
        raise _wrong("size", "http.want_size")
    width, height = int(found[1]), int(found[2])
    ratios = model.ratios_for(has_image=has_image) or model.ratios
    wanted = math.log(width / height)
    ratio = min(ratios, key=lambda one: abs(_log(one) - wanted))
    if abs(_log(ratio) - wanted) > _OFF_BY:
        raise _wrong("size", "http.want_ratio", offered=", ".join(ratios))
    is_large = max(width, height) > _2K_FROM
    has_2k = "2k" in model.resolutions_for(has_image=has_image)
    return ratio, "2k" if is_large and has_2k else "1k"


def _log(ratio: str) -> float:
    width, _, height = ratio.partition(":")
    return math.log(int(width) / int(height))


def _wrong(name: str, text_id: str, **facts: object) -> HttpCallError:
    return HttpCallError(400, text_id, facts={"field": name, **facts}, field=name)
