"""Pictures in bodies that are forwarded: upright and clean, whatever the field is called."""

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.texts.catalogue import texts_of
from core.web.kling import posted_pictures
from tests.picture_cases import cases, problems
from tests.upstream import Plan, Step, Upstream, whole
from tests.web.serving import serving

TABLE = {case.name: case for case in cases()}


@pytest.fixture(scope="module")
def kling() -> Iterator[Upstream]:
    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(0, whole({"code": 0}))

    with Upstream(plan) as upstream:
        yield upstream


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def forwarded(tmp_path: Path, kling: Upstream, body: object) -> tuple[int, Any, Any]:
    """Return status and reply of a forwarded call, and the body that Kling got."""
    before = len(kling.exchanges)
    origin = kling.url.removesuffix("/chat/completions")
    with serving(tmp_path, kling_origin=origin) as served:
        reply = served.http.post("/kling/v1/images/kolors-virtual-try-on", json=body)
    sent = kling.exchanges[before:]
    return reply.status_code, reply.json(), sent[0].body if sent else None


def test_pictures_in_forwarded_bodies_are_cleaned_whatever_their_field(
    tmp_path: Path, kling: Upstream
) -> None:
    turned = base64_of(TABLE["jpeg-6.jpg"].content)
    heic = base64_of(TABLE["heic-8.heic"].content)
    body = {
        "subject_image_list": [{"subject_image": turned}, {"subject_image": "https://a.b/c.jpg"}],
        "image_list": [heic, {"image": turned}],
        "scene_image": turned,
        "contents": [{"type": "refer", "anything": turned}],
        "image_reference": "subject",
        "image_prompt": "a long description of a picture, in many words. " * 4,
        "sound_file": base64_of(b"RIFF....WAVEfmt " * 20),
        "n": 1.50,
        "prompt": "三",
    }
    status, _reply, sent = forwarded(tmp_path, kling, body)
    assert status == 200
    pictures = [
        sent["subject_image_list"][0].pop("subject_image"),
        sent["image_list"].pop(0),
        sent["image_list"][0].pop("image"),
        sent.pop("scene_image"),
        sent["contents"][0].pop("anything"),
    ]
    for picture in pictures:
        assert problems(TABLE["jpeg-6.jpg"], base64.b64decode(picture)) == []
    assert sent == {
        "subject_image_list": [{}, {"subject_image": "https://a.b/c.jpg"}],
        "image_list": [{}],
        "contents": [{"type": "refer"}],
        **{
            name: body[name]
            for name in ("image_reference", "image_prompt", "sound_file", "n", "prompt")
        },
    }


@pytest.mark.parametrize(
    ("image", "text_id"),
    [
        (base64_of(TABLE["cut.jpeg"].content), "error.upload_unreadable"),
        (
            base64_of(b"no picture at all, but long enough to be one. " * 9),
            "error.upload_unreadable",
        ),
        ("data:image/jpeg;base64," + base64_of(TABLE["jpeg-6.jpg"].content), "error.kling_field"),
        (base64_of(TABLE["bomb.png"].content), "error.upload_too_many_pixels"),
    ],
    ids=["cut", "words", "data", "bomb"],
)
def test_what_cannot_be_cleaned_is_not_forwarded(
    tmp_path: Path, kling: Upstream, image: str, text_id: str
) -> None:
    status, reply, sent = forwarded(tmp_path, kling, {"image": image})
    assert (status, reply["code"], sent) == (400, 1201, None)
    if text_id != "error.kling_field":
        assert reply["message"].startswith(texts_of("en")[text_id].partition("{")[0])


@pytest.mark.parametrize(
    "body", [b"", b"not json", b'{"prompt": 1.0}', b"[" * 100_000, b'"text"', b"{}"]
)
def test_a_body_without_pictures_goes_on_byte_for_byte(body: bytes) -> None:
    assert asyncio.run(posted_pictures.normalized(body)) == body
