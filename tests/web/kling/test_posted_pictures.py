"""The table of pictures over HTTP: bought with upright and clean, or refused in words."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from core.practice.server import PracticeServer
from core.texts.catalogue import texts_of
from tests.picture_cases import Case, cases, exif, problems, saved, stored, upright
from tests.web.serving import QUICK, Served, serving_practice

PATH = "/kling/v1/images/generations"
REASONS = {
    "unreadable": "error.upload_unreadable",
    "pixels": "error.upload_too_many_pixels",
    "too_small": "error.reference_too_small",
    "too_narrow": "error.reference_too_narrow",
}
TABLE = {case.name: case for case in cases()}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        PracticeServer(settings=QUICK) as practice,
        serving_practice(tmp_path_factory.mktemp("pictures"), practice) as running,
    ):
        yield running


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize("case", [c for c in cases() if c.content], ids=lambda case: case.name)
def test_each_picture_is_bought_with_upright_and_clean_or_refused(
    served: Served, case: Case
) -> None:
    body = {"prompt": case.name, "image": base64_of(case.content), "aspect_ratio": "1:1"}
    reply = served.http.post(PATH, json=body)
    if not case.is_taken:
        assert (reply.status_code, reply.json()["code"]) == (400, 1201)
        for language in ("zh", "en"):
            told = served.http.post(PATH, json=body, headers={"Accept-Language": language}).json()
            begin = texts_of(language)[REASONS[case.outcome]].partition("{")[0]
            assert told["message"].startswith(begin)
        return
    assert reply.status_code == 200, reply.text
    generations = served.studio.store.generations
    generation = generations.get_by_task_id("local", reply.json()["data"]["task_id"])
    assert generation is not None
    (reference,) = generations.references(generation.id)
    assert problems(case, reference.content) == []


def test_pictures_hold_up_no_other_call(served: Served) -> None:
    """While large ones are decoded, one after the other, everything else is answered."""
    large = base64_of(saved(upright().resize((5000, 7000)), "JPEG", exif=exif(6)))
    body = {"prompt": "large", "image": large, "aspect_ratio": "1:1"}
    answered = 0
    with ThreadPoolExecutor(8) as pool:
        posted = [pool.submit(served.http.post, PATH, json=body, timeout=120) for _ in range(8)]
        watcher = pool.submit(wait, posted)
        while not watcher.done():
            assert served.http.get("/healthz").status_code == 200
            assert served.http.get(f"{PATH}?pageNum=1&pageSize=1").status_code == 200
            answered += 1
    assert {one.result().status_code for one in posted} == {200}
    assert answered >= 5


def test_the_same_picture_under_one_key_is_one_task(served: Served) -> None:
    image = base64_of(saved(stored(6), "JPEG", exif=exif(6)))
    replies = [
        served.http.post(
            PATH,
            content=json.dumps({"prompt": "key", "image": image}),
            headers={"Idempotency-Key": "pictures-1", "Content-Type": "application/json"},
        )
        for _ in range(2)
    ]
    assert replies[0].json()["data"] == replies[1].json()["data"]
