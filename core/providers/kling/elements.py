"""Kling's JSON of elements: what makes and deletes one, and what a list of them tells."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from core.models.generations import ReferenceImage
from core.models.pictures.elements import Element, State
from core.providers.http.redaction import clean_detail
from core.providers.kling.fields import identifier, mapping, short_word
from core.providers.kling.picture_bodies import bare_base64

ELEMENTS_PATH = "/v1/general/advanced-custom-elements"
DELETE_PATH = "/v1/general/delete-elements"
PAGE_SIZE = 500

_STATES: dict[str, State] = {"succeed": "ready", "deleted": "deleted"}


def element_body(
    name: str, description: str, pictures: Sequence[ReferenceImage], external_task_id: str
) -> bytes:
    """Return the body that makes an element of a picture from the front and up to three others."""
    front, *others = [bare_base64(one) for one in pictures]
    body = {
        "element_name": name,
        "element_description": description,
        "reference_type": "image_refer",
        "element_image_list": {
            "frontal_image": front,
            "refer_images": [{"image_url": one} for one in others],
        },
        "external_task_id": external_task_id,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def delete_body(element_id: str) -> bytes:
    """Return the body that deletes an element."""
    return json.dumps({"element_id": element_id}).encode()


def elements_from_json(data: Any) -> tuple[Element, ...] | None:
    """Return the elements that a list of tasks tells of; None when it is no list."""
    if not isinstance(data, list):
        return None
    return tuple(element for task in data for element in _of_task(mapping(task)))


def _of_task(task: Any) -> Iterator[Element]:
    status = task.get("task_status")
    entries = mapping(task.get("task_result")).get("elements")
    if status not in ("succeed", "succeeded"):
        state: State = "failed" if status == "failed" else "making"
        task_id = identifier(task.get("task_id")) or ""
        yield Element(task_id, "", state=state, reason=clean_detail(task.get("task_status_msg")))
        return
    for entry in entries if isinstance(entries, list) else ():
        told = mapping(entry)
        if (element_id := identifier(told.get("element_id"))) is not None:
            yield Element(
                element_id,
                short_word(told.get("element_name")),
                short_word(told.get("element_description")),
                _STATES.get(str(told.get("status")), "ready"),
            )
