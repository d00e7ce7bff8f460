"""Posted wishes for pictures: what each body comes to, a request or the refusal's text.

`data/kling_requests.jsonl` was written by the parser of 2026-11-28 (commit 1a7305d), as
`posted_chats.jsonl` of the chats was.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.models.generations import ImageRequest
from core.texts.catalogue import LANGUAGES, texts_of
from core.web.kling.creates.image import image_from_json

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "kling_requests.jsonl").read_text().splitlines()
]


def refused(error: InputError) -> dict[str, Any]:
    for language in LANGUAGES:
        assert "?" not in error.sentence(language)  # a fact that the sentence lacks
        if "expected" in error.facts:
            assert texts_of(language)[f"fact.expected.{error.facts['expected']}"]
    return {"refused": [error.text_id, error.field, error.facts]}


def outcome(body: dict[str, Any]) -> dict[str, Any]:
    """Return what a body comes to: what is not as it would be anyway, or the refusal."""
    try:
        came = image_from_json(body)
    except InputError as error:
        return refused(error)
    usual = asdict(ImageRequest(prompt="", aspect_ratio="16:9"))
    told = {
        name: value
        for name, value in asdict(came.request).items()
        if (type(value), value) != (type(usual[name]), usual[name])
    }
    if came.external_task_id is not None:
        told["external_task_id"] = came.external_task_id
    for picture in came.pictures:
        is_png = picture.startswith(b"\x89PNG\r\n\x1a\n")
        digest = hashlib.sha256(picture).hexdigest()[:16]
        told["reference"] = ["image/png" if is_png else "image/jpeg", digest]
    return told


@pytest.mark.parametrize(("body", "expected"), CASES)
def test_a_body_comes_to_what_it_came_to(body: str, expected: dict[str, Any]) -> None:
    assert json.dumps(outcome(json.loads(body))) == json.dumps(expected)
