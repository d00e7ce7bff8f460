"""Create bodies of the practice Kling: for each path what it takes, one file a kind."""

from collections.abc import Callable
from datetime import datetime

from core.practice.kling.creates.expand import expand_from_fields
from core.practice.kling.creates.fields import Fields
from core.practice.kling.creates.image import image_from_fields
from core.practice.kling.creates.multi import multi_from_fields
from core.practice.kling.creates.omni import omni_from_fields
from core.practice.kling.creates.picture_request import PictureRequest

GENERATIONS_PATH = "/v1/images/generations"

CREATES: dict[str, Callable[[Fields, datetime], PictureRequest]] = {
    GENERATIONS_PATH: image_from_fields,
    "/v1/images/omni-image": omni_from_fields,
    "/v1/images/editing/expand": expand_from_fields,
    "/v1/images/multi-image2image": multi_from_fields,
}
