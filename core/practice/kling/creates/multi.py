"""What `/v1/images/multi-image2image` takes (kling.md section 11)."""

from datetime import datetime

from core.models.kling_catalogue import ALL_RATIOS
from core.models.pictures.multi import MULTI_MODELS, SUBJECTS_LEAST, SUBJECTS_MOST, MultiRequest
from core.practice.kling.creates import fields as read
from core.practice.kling.creates.picture_request import PictureRequest, priced
from core.practice.kling.refusal import bad_parameter


def multi_from_fields(fields: read.Fields, at: datetime) -> PictureRequest:
    """Return the request in a body, or raise the refusal Kling would send at that moment."""
    model = read.one_of(fields, "model_name", tuple(MULTI_MODELS), next(iter(MULTI_MODELS)))
    subjects = read.pictures(fields, "subject_image_list", "subject_image")
    if not SUBJECTS_LEAST <= len(subjects) <= SUBJECTS_MOST:
        bounds = f"{SUBJECTS_LEAST} to {SUBJECTS_MOST}"
        raise bad_parameter("subject_image_list", f"must hold {bounds} images")
    for name in ("scene_image", "style_image"):
        read.picture(fields, name)
    prompt, n = read.text(fields, "prompt"), read.count(fields)
    read.check_words(prompt)
    units, list_price = priced(MultiRequest().price_key[1], {}, n, at)
    return PictureRequest(
        prompt=prompt,
        model_name=model,
        n=n,
        aspect_ratio=read.one_of(fields, "aspect_ratio", ALL_RATIOS, "1:1"),
        resolution="1k",
        has_image=True,
        units=units,
        list_price=list_price,
        watermark=read.watermark(fields),
        external_task_id=read.external_task_id(fields),
        tint=subjects[0].tint,
    )
