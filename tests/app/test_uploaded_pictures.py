"""The table of pictures on the Images page: taken upright and clean, or refused; never broken."""

from collections.abc import Callable

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.texts.catalogue import texts_of
from core.work.studio import Studio
from tests.app.elements import words
from tests.app.test_images_page import open_page, upload
from tests.picture_cases import Case, cases, exif, metadata_bytes, problems, saved, stored

PARTS = 4
EN = texts_of("en")
# How each refusal's sentence begins, up to its first figure.
REASONS = {
    reason: EN[text_id].partition("{")[0]
    for reason, text_id in {
        "unreadable": "error.upload_unreadable",
        "pixels": "error.upload_too_many_pixels",
        "too_small": "error.reference_too_small",
        "too_narrow": "error.reference_too_narrow",
    }.items()
}
PROMPT = "image-prompt"


def sent(app: AppTest, studio: Studio) -> bytes | None:
    """Press Generate; return the picture that goes with it, None when nothing was written down."""
    before = {one.id for one in studio.store.generation_lists.list(LOCAL_OWNER).items}
    app.button(key="generate").click().run()
    new = [
        one for one in studio.store.generation_lists.list(LOCAL_OWNER).items if one.id not in before
    ]
    if not new:
        return None
    (reference,) = studio.store.generations.references(new[0].id)
    return reference.content


def wrong_with(case: Case, app: AppTest, studio: Studio) -> list[str]:
    upload(app, case.name, case.content, "application/octet-stream")
    found = ["the page broke"] if app.exception else []
    if not app.text_area(key=PROMPT).value or not app.button(key="generate"):
        found.append("the form is gone")
    told = [error.value for error in app.error]
    content = sent(app, studio)
    if app.exception:
        found.append("the page broke at Generate")
    if not case.is_taken:
        told_why = any(REASONS[case.outcome] in one for one in told)
        return [*found, *([] if told_why else [f"told {told}"]), *(["sent"] if content else [])]
    if content is None or told:
        return [*found, f"not sent: {told}"]
    return [*found, *problems(case, content)]


@pytest.mark.parametrize("part", range(PARTS))
def test_no_file_breaks_the_page_and_what_is_sent_is_upright_and_clean(
    app: AppTest, studio: Callable[[], Studio], part: int
) -> None:
    open_page(app)
    wrong = {}
    for number, case in enumerate(cases()[part::PARTS]):
        app.text_area(key=PROMPT).set_value(f"{case.name} {number}")
        if found := wrong_with(case, app, studio()):
            wrong[case.name] = found
    assert wrong == {}


@pytest.mark.parametrize(
    ("size", "key"), [((3000, 310), "crop"), ((200, 250), "enlarge"), ((12_000, 5_000), "shrink")]
)
def test_what_breaks_a_limit_is_offered_to_be_made_to_fit(
    app: AppTest, studio: Callable[[], Studio], size: tuple[int, int], key: str
) -> None:
    open_page(app)
    upload(app, "odd.jpg", saved(Image.new("RGB", size, "teal"), "JPEG"), "image/jpeg")
    assert app.error
    button = app.button(key="fit-reference")
    assert button.label == EN[f"images.reference_{key}"]
    button.click().run()
    assert not app.error
    app.text_area(key=PROMPT).set_value("a house")
    content = sent(app, studio())
    assert content
    assert metadata_bytes(content) == 0
    assert not app.exception


def test_the_page_tells_what_is_sent(app: AppTest) -> None:
    open_page(app)
    upload(app, "photo.jpg", saved(stored(6), "JPEG", exif=exif(6)), "image/jpeg")
    assert "JPEG, 400 × 600 pixels" in words(app)
    assert not app.exception
