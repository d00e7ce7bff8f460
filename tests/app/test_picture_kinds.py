"""The forms of the kinds of pictures, as a person uses them, on the practice provider."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.models.generations import Generation, GenerationStatus
from core.models.money.ledger import LineState, Spender
from core.models.pictures.expand import ExpandRequest
from core.models.pictures.multi import MultiRequest
from core.models.pictures.omni import OmniRequest
from core.storage.money.filters import LedgerFilter
from core.work.studio import Studio
from tests.crash.kinds import PICTURE_KINDS, asked

Opened = Callable[[], Studio]
Until = Callable[[Callable[[], bool]], None]

PROMPT = "image-prompt"


def png(colour: str, size: tuple[int, int] = (640, 480)) -> tuple[str, bytes, str]:
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return f"{colour}.png", buffer.getvalue(), "image/png"


def open_form(app: AppTest, kind: str) -> None:
    app.run()
    app.switch_page("pages/images.py").run()
    app.pills(key="image-way").set_value(kind).run()


def uploader(app: AppTest) -> str:
    return next(one.key or "" for one in app.file_uploader if "image-pictures" in str(one.key))


def newest(studio: Studio) -> Generation:
    return studio.store.generation_lists.list(LOCAL_OWNER).items[0]


def archived(studio: Studio, until: Until) -> Generation:
    until(lambda: newest(studio).status is GenerationStatus.ARCHIVED)
    return newest(studio)


def test_several_pictures_are_named_sent_and_used_again(
    app: AppTest, studio: Opened, until: Until
) -> None:
    open_form(app, "omni")
    app.file_uploader(key=uploader(app)).set_value([png("red"), png("blue", (200, 200))]).run()
    assert len(app.get("image")) == 2  # the second was enlarged
    app.text_area(key=PROMPT).set_value("把杯子放进").run()
    app.button(key="insert-1").click().run()
    assert app.text_area(key=PROMPT).value in ("把杯子放进 @图2 ", "把杯子放进 @image2 ")
    app.selectbox(key="omni-model").set_value("kling-v3-omni").run()
    app.toggle(key="omni-series").set_value(True).run()
    app.number_input(key="omni-n").set_value(2).run()
    app.button(key="generate").click().run()
    made = archived(studio(), until)
    assert isinstance(made.request, OmniRequest)
    assert (made.request.is_series, made.request.image_count, len(made.pictures)) == (True, 2, 2)
    references = studio().store.generations.references(made.id)
    assert len(references) == 2

    app.button(key="remove-0").click().run()
    app.pills(key="image-way").set_value("image").run()
    app.switch_page("pages/gallery.py").run()
    app.query_params["p"] = made.pictures[0].id
    app.run()
    app.button(key=f"again-{made.pictures[0].id}").click().run()
    app.switch_page("pages/images.py").run()
    assert app.session_state["image-way"] == "omni"
    assert app.text_area(key=PROMPT).value == made.request.prompt
    assert [one.key for one in app.button if str(one.key).startswith("remove-")] == [
        "remove-0",
        "remove-1",
    ]
    assert not app.exception


def test_a_name_without_its_picture_is_told_before_anything_is_sent(
    app: AppTest, studio: Opened
) -> None:
    open_form(app, "omni")
    app.text_area(key=PROMPT).set_value("@图3 在下雨").run()
    app.button(key="generate").click().run()
    assert studio().store.generation_lists.list(LOCAL_OWNER).items == ()
    assert any("@image3" in one.value for one in app.error)


def test_a_picture_of_the_gallery_is_expanded_and_told_by_its_sides(
    app: AppTest, studio: Opened, until: Until
) -> None:
    open_form(app, "multi")
    app.file_uploader(key=uploader(app)).set_value([png("red"), png("blue")]).run()
    roles = [str(one.key) for one in app.segmented_control if "multi-role" in str(one.key)]
    app.segmented_control(key=roles[1]).set_value("style").run()
    app.button(key="generate").click().run()
    made = archived(studio(), until)
    assert isinstance(made.request, MultiRequest)
    assert (made.request.subject_count, made.request.has_style) == (1, True)

    app.switch_page("pages/gallery.py").run()
    app.query_params["p"] = made.pictures[0].id
    app.run()
    app.button(key=f"expand-{made.pictures[0].id}").click().run()
    app.switch_page("pages/images.py").run()
    app.pills(key="expand-ratio").set_value("16:9").run()
    app.button(key="generate").click().run()
    whole = archived(studio(), until)
    assert isinstance(whole.request, ExpandRequest)
    assert (whole.request.left > 0.3, whole.request.sides.area) == (
        True,
        pytest.approx(2, abs=0.01),
    )
    (picture,) = whole.pictures
    assert picture.width / picture.height == pytest.approx(16 / 9, rel=0.01)
    assert not app.exception


def test_an_element_is_made_of_the_pictures_used_and_deleted(
    app: AppTest, studio: Opened, until: Until
) -> None:
    open_form(app, "omni")
    app.file_uploader(key=uploader(app)).set_value([png("red"), png("blue")]).run()
    app.button(key="elements-load").click().run()
    app.text_input(key="element-name").set_value("猫").run()
    app.text_input(key="element-about").set_value("一只红猫").run()
    app.button(key="elements-make").click().run()
    elements = studio().generations.elements
    anybody = Spender(LOCAL_OWNER, "page")
    until(lambda: [one.state for one in elements.every(anybody)] == ["ready"])
    app.button(key="elements-load").click().run()
    (made,) = elements.every(anybody)
    app.multiselect(key="omni-elements").set_value([made.id]).run()
    app.button(key="insert-element-0").click().run()
    app.button(key="generate").click().run()
    request = archived(studio(), until).request
    assert isinstance(request, OmniRequest)
    assert request.element_ids == (int(made.id),)
    assert int(made.id) > 2**53
    (line,) = [one for one in studio().store.ledger.every(LedgerFilter()) if one.kind != "image"]
    assert (line.state, line.amount) == (LineState.UNKNOWN, None)  # nobody knows what it costs
    assert (line.owner, line.caller, line.origin) == (LOCAL_OWNER, "page", "page")
    app.button(key="elements-delete").click().run()
    assert elements.every(anybody) == ()
    assert not app.exception


def test_of_more_pictures_than_there_is_room_for_none_is_looked_into(app: AppTest) -> None:
    open_form(app, "multi")
    files = [("torn.png", b"no picture", "image/png"), *(png("red") for _ in range(6))]
    app.file_uploader(key=uploader(app)).set_value(files).run()
    assert any("6" in one.value and "7" in one.value for one in app.error)
    assert len(app.get("image")) == 0
    app.file_uploader(key=uploader(app)).set_value([png("red"), png("blue")]).run()
    assert len(app.get("image")) == 2
    assert not app.exception


@pytest.mark.parametrize("watermark", [True, False])
@pytest.mark.parametrize("kind", PICTURE_KINDS)
def test_a_mark_that_was_asked_for_is_told_of_every_kind(
    app: AppTest, studio: Opened, until: Until, kind: str, watermark: bool
) -> None:
    app.run()
    request, references = asked(kind, "a lake", 1)
    wanted = replace(request, watermark=watermark)  # type: ignore[call-arg]
    studio().generations.request(LOCAL_OWNER, wanted, references=references)
    generation = archived(studio(), until)
    app.switch_page("pages/gallery.py").run()
    app.button(key=f"open-{generation.pictures[0].id}").click().run()
    assert ("Watermark" in [one.value for one in app.caption]) is watermark
    assert not app.exception
