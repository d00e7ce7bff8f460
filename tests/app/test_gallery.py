"""The gallery, as a person uses it: leaf, find, look, use again, take along, delete and undo."""

import hashlib
import io
import json
import logging
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from itertools import chain, repeat

import pytest
from PIL import Image
from sqlalchemy import delete, insert
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.archive.png_chunks import iter_chunks, join_chunks, text_chunk
from core.models.generations import (
    Generation,
    GenerationStatus,
    ImageRequest,
    KlingTask,
    Note,
    TaskStatus,
)
from core.models.parts import PicturePart
from core.models.speech import SpeechRequest
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_KLING_API_KEY
from core.storage.db import schema
from core.storage.generations.gallery import GalleryPicture
from core.ui.gallery import arrivals
from core.ui.gallery.zip_export import zip_of
from core.ui.session_state import Target
from core.work.studio import Studio
from tests.app.conftest import QUICK
from tests.app.elements import keyed, run_until, shown, words

Opened = Callable[[], Studio]
Until = Callable[[Callable[[], bool]], None]

WORDS = "gallery-words"
KIND = "gallery-kind"


def open_page(app: AppTest) -> None:
    app.run()
    app.switch_page("pages/gallery.py").run()


def go_on(app: AppTest, page: str) -> None:
    """Go where a press leads; here a page is run alone, without the frame that does so."""
    assert app.session_state["inkling"].go_to == Target(page, {})
    app.switch_page(page).run()


def png(shade: int, size: tuple[int, int] = (640, 480)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade % 256, 80, 120)).save(buffer, "PNG")
    return buffer.getvalue()


def made(
    studio: Studio, prompt: str, *, n: int = 1, shade: int = 10, model_name: str = "kling-v3"
) -> Generation:
    """Write down a finished task with its pictures, as if Kling had drawn them."""
    store, archive = studio.store, studio.archive
    # Of the provider that is not at work here: nobody sends it on.
    generation = store.intents.create(
        LOCAL_OWNER,
        ImageRequest(prompt=prompt, n=n, aspect_ratio="4:3", model_name=model_name),
        provider="kling",
    )
    step(studio, generation, GenerationStatus.SUCCEEDED)
    store.expected_pictures.expect(generation.id, n)
    for index in range(n):
        part = archive.new_part()
        part.write_bytes(png(shade + index))
        file = archive.adopt(
            part, created_at=generation.created_at, generation_id=generation.id, index=index
        )
        store.expected_pictures.add(
            generation.id,
            index,
            name=file.name,
            media_type=file.media_type,
            width=file.width,
            height=file.height,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
        )
    return step(studio, generation, GenerationStatus.ARCHIVED)


def ended(studio: Studio, prompt: str, status: GenerationStatus) -> Generation:
    generation = studio.store.intents.create(
        LOCAL_OWNER, ImageRequest(prompt=prompt), provider="kling"
    )
    return step(studio, generation, status)


def step(studio: Studio, generation: Generation, status: GenerationStatus) -> Generation:
    moved = studio.store.generations.move(
        generation.id,
        to=status,
        expect=set(GenerationStatus),
        note=Note("note.found", {"task_id": "42"}),
    )
    assert moved is not None
    return moved


def pictures(studio: Studio) -> list[GalleryPicture]:
    return list(studio.store.gallery.list_pictures(LOCAL_OWNER).items)


def keys(app: AppTest, key: str) -> list[str]:
    return [one.key for one in app.button if one.key == key]


def tiles(app: AppTest) -> list[str]:
    """Return what the buttons over the thumbnails are called by: the words of each picture."""
    buttons = [one for one in app.button if (one.key or "").startswith("open-")]
    return [one.label.split(": ", 2)[2] for one in buttons]


def test_an_empty_gallery_leads_to_the_images_page(app: AppTest) -> None:
    open_page(app)
    assert "No pictures yet" in words(app)
    assert [link.label for link in shown(app, "page_link")] == ["Make a picture"]
    assert not app.exception


def test_pictures_stand_newest_first_in_pages(app: AppTest, studio: Opened) -> None:
    app.run()
    for number in range(7):
        made(studio(), f"wish {number}", n=4, shade=number * 9)
    open_page(app)
    assert len(tiles(app)) == 24
    assert len(app.get("image")) == 24
    assert tiles(app)[:5] == ["wish 6"] * 4 + ["wish 5"]
    assert "Pictures: 28" in words(app)
    app.button(key="older-gallery-below").click().run()
    assert tiles(app) == ["wish 0"] * 4
    app.button(key="newer-gallery-above").click().run()
    assert tiles(app)[0] == "wish 6"
    assert not app.exception


def test_order_and_size_are_kept_for_the_next_visit(app: AppTest, studio: Opened) -> None:
    app.run()
    for number in range(3):
        made(studio(), f"wish {number}", shade=number * 9)
    studio().store.gallery.set_favourite(LOCAL_OWNER, pictures(studio())[1].picture.id, True)
    open_page(app)
    app.radio(key="gallery-order").set_value("oldest").run()
    assert tiles(app) == ["wish 0", "wish 1", "wish 2"]
    app.radio(key="gallery-order").set_value("favourites").run()
    keyed(app, "gallery-size").set_value("large").run()
    assert tiles(app) == ["wish 1", "wish 2", "wish 0"]
    app.session_state["inkling"].arrangement = None  # as another session finds it
    app.run()
    assert tiles(app) == ["wish 1", "wish 2", "wish 0"]
    assert keyed(app, "gallery-size").value == "large"
    assert not app.exception


def test_stars_and_menus_say_of_what_they_are(app: AppTest, studio: Opened) -> None:
    app.run()
    made(studio(), "a *cat*")
    open_page(app)
    (item,) = pictures(studio())
    star = app.button(key=f"star-tile-{item.picture.id}")
    assert star.label == ":gray[☆] Add to favourites: Picture 1: a \\*cat\\*"
    star.click().run()
    star = app.button(key=f"star-tile-{item.picture.id}")
    assert star.label.startswith(":primary[★] Remove from favourites: Picture 1: a ")
    assert not app.exception


def test_pictures_are_found_by_prompt_model_day_and_star(app: AppTest, studio: Opened) -> None:
    app.run()
    made(studio(), "一只猫，水墨", shade=1)
    made(studio(), "a red house", shade=2, model_name="kling-v2-1")
    open_page(app)
    app.text_input(key=WORDS).set_value("水墨").run()
    assert tiles(app) == ["一只猫，水墨"]
    app.text_input(key=WORDS).set_value("nothing like it").run()
    assert "Nothing matches" in words(app)
    app.button(key="gallery-clear-empty").click().run()
    assert len(tiles(app)) == 2

    app.selectbox(key="gallery-model").set_value("kling-v2-1").run()
    assert tiles(app) == ["a red house"]
    app.button(key="gallery-clear").click().run()
    # Asked of the pictures: midnight may have passed since they were made.
    days = sorted(one.picture.created_at.astimezone().date() for one in pictures(studio()))
    app.date_input(key="gallery-days").set_value((days[0], days[-1])).run()
    assert len(tiles(app)) == 2
    app.date_input(key="gallery-days").set_value((days[0] - timedelta(days=1),) * 2).run()
    assert tiles(app) == []
    app.button(key="gallery-clear-empty").click().run()

    cat = pictures(studio())[1].picture
    app.button(key=f"star-tile-{cat.id}").click().run()
    keyed(app, KIND).set_value("favourites").run()
    assert tiles(app) == ["一只猫，水墨"]
    assert not app.exception


@pytest.mark.parametrize(
    "status", [GenerationStatus.FAILED, GenerationStatus.REFUSED, GenerationStatus.CANCELLED]
)
def test_tasks_without_pictures_are_listed_by_state(
    app: AppTest, studio: Opened, status: GenerationStatus
) -> None:
    app.run()
    made(studio(), "a good one")
    generation = ended(studio(), "an unlucky one", status)
    open_page(app)
    assert tiles(app) == ["a good one"]
    keyed(app, KIND).set_value(str(status)).run()
    assert "an unlucky one" in words(app)
    assert "a good one" not in words(app)

    app.button(key=f"delete-{generation.id}").click().run()
    assert "an unlucky one" not in words(app)
    app.button(key="gallery-undo").click().run()
    assert "an unlucky one" in words(app)
    assert not app.exception


def test_a_picture_opens_large_with_all_that_is_known(app: AppTest, studio: Opened) -> None:
    app.run()
    made(studio(), "一只猫", n=2)
    open_page(app)
    first, second = (item.picture for item in pictures(studio()))
    app.button(key=f"open-{first.id}").click().run()
    shown = words(app)
    assert "640 × 480" in shown
    assert "1 / 2" in shown
    assert [
        one.proto.body.count(">一只猫<")
        for one in app.get("html")
        if "inkling-box" in one.proto.body
    ] == [1]
    app.button(key="step-Right").click().run()
    assert "2 / 2" in words(app)
    app.button(key=f"star-view-{second.id}").click().run()
    assert pictures(studio())[1].picture.favourite
    assert not app.exception


def test_the_history_of_a_task_tells_when_what_and_why(app: AppTest, studio: Opened) -> None:
    app.run()
    generation = made(studio(), "a cat")
    open_page(app)
    app.button(key=f"open-{pictures(studio())[0].picture.id}").click().run()
    with studio().store.conversations._database.write() as connection:
        old = {"generation_id": generation.id, "at": generation.created_at, "status": "archived"}
        connection.execute(insert(schema.generation_events), old | {"note": "by an old version"})
    assert "task id is 42" not in words(app)
    app.session_state[f"task-history-{generation.id}"] = True
    app.run()
    assert "task id is 42" in words(app)
    assert "by an old version" in words(app)
    assert not app.exception


def test_a_deleted_picture_comes_back(app: AppTest, studio: Opened) -> None:
    app.run()
    made(studio(), "a cat", n=2)
    open_page(app)
    first = pictures(studio())[0].picture
    app.button(key=f"open-{first.id}").click().run()
    app.button(key=f"delete-{first.id}").click().run()
    assert len(tiles(app)) == 1
    app.button(key="gallery-undo").click().run()
    assert len(tiles(app)) == 2
    assert not app.exception


def test_what_was_asked_for_fills_the_form_again(app: AppTest, studio: Opened) -> None:
    app.run()
    generation = made(studio(), "再来一只猫", n=3, model_name="kling-v2-1")
    open_page(app)
    app.button(key=f"open-{pictures(studio())[0].picture.id}").click().run()
    app.button(key=f"again-{pictures(studio())[0].picture.id}").click().run()
    go_on(app, "pages/images.py")
    assert app.text_area(key="image-prompt").value == "再来一只猫"
    assert app.selectbox(key="image-model").value == "kling-v2-1"
    assert app.number_input(key="image-n").value == 3
    assert keyed(app, "image-ratio").value == "4:3"
    assert studio().store.generation_lists.list(LOCAL_OWNER).items == (generation,)
    assert not app.exception


def test_variations_take_the_picture_as_the_reference(
    app: AppTest, studio: Opened, until: Until
) -> None:
    app.run()
    made(studio(), "a cat")
    open_page(app)
    picture = pictures(studio())[0].picture
    app.button(key=f"open-{picture.id}").click().run()
    app.button(key=f"vary-{picture.id}").click().run()
    go_on(app, "pages/images.py")
    assert app.text_area(key="image-prompt").value == "a cat"
    app.button(key="generate").click().run()
    newest = studio().store.generation_lists.list(LOCAL_OWNER).items[0]
    assert newest.request.has_image
    (reference,) = studio().store.generations.references(newest.id)
    assert reference.content == studio().archive.original_bytes(picture.name)
    until(lambda: studio().store.generation_lists.list(LOCAL_OWNER, active_only=True).items == ())
    assert not app.exception


def test_a_picture_goes_into_a_new_conversations_box_with_a_question(
    app: AppTest, studio: Opened
) -> None:
    app.run()
    made(studio(), "a cat")
    open_page(app)
    picture = pictures(studio())[0].picture
    app.button(key=f"open-{picture.id}").click().run()
    app.button(key=f"describe-{picture.id}").click().run()
    go_on(app, "pages/chat.py")
    assert not app.exception
    (waiting,) = [one for one in app.button if (one.key or "").startswith("detach-")]
    assert "at\\-1\\.png" in waiting.label
    assert studio().store.conversations.list(LOCAL_OWNER).items == ()  # nothing was sent
    app.chat_input[0].set_value("这张图片里有什么？").run()
    (conversation,) = studio().store.conversations.list(LOCAL_OWNER).items
    question = studio().store.messages.path(LOCAL_OWNER, conversation.id)[0]
    (part,) = [one for one in question.parts if isinstance(one, PicturePart)]
    assert studio().store.messages.blob(LOCAL_OWNER, part.sha256) is not None


def test_a_picture_whose_file_is_gone_says_so_and_stays_here(app: AppTest, studio: Opened) -> None:
    app.run()
    made(studio(), "a cat")
    open_page(app)
    picture = pictures(studio())[0].picture
    app.button(key=f"open-{picture.id}").click().run()
    studio().archive.remove(picture.name)
    app.button(key=f"describe-{picture.id}").click().run()
    assert not app.exception
    assert app.error
    assert not [one for one in app.button if (one.key or "").startswith("detach-")]


def test_a_picture_of_ours_dropped_on_the_images_page_fills_the_form(
    app: AppTest,
    studio: Opened,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Streamlit warns once in a process, and its loggers pass nothing on.
    monkeypatch.setattr("streamlit.elements.lib.policies._shown_default_value_warning", False)
    monkeypatch.setattr(logging.getLogger("streamlit"), "propagate", True)
    app.run()
    made(studio(), "a cat in the window", n=2)
    item = pictures(studio())[0]
    content = studio().archive.download_bytes(item.picture, item.generation)
    app.switch_page("pages/images.py").run()
    app.file_uploader(key="image-reference").upload("cat.png", content, "image/png").run()
    assert app.text_area(key="image-prompt").value == "a cat in the window"
    assert app.number_input(key="image-n").value == 2
    assert "created with a default value" not in caplog.text
    assert "filled from it" in words(app)
    assert keys(app, "remove-reference") == []
    app.button(key="use-dropped").click().run()
    assert keys(app, "remove-reference") == ["remove-reference"]
    assert not app.exception


SPEECH = SpeechRequest("说一句话", voice_id="ai_kaiya")


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "speech", **asdict(SPEECH)},
        {"kind": "film", "prompt": "a film"},
        {"kind": ["image"], "prompt": "x"},
        {"kind": "expand", "prompt": "x", "up": 9},
        {"kind": "multi", "prompt": "x", "subject_count": True},
        {"prompt": 5},
        [],
    ],
    ids=repr,
)
def test_a_picture_whose_record_fits_no_form_leaves_the_form_and_says_so(
    app: AppTest, studio: Opened, told: object
) -> None:
    app.run()
    app.switch_page("pages/images.py").run()
    app.text_area(key="image-prompt").set_value("my own words").run()
    header, *rest = iter_chunks(png(20))
    chunk = text_chunk("inkling", json.dumps({"request": told}))
    content = join_chunks([header, chunk, *rest])
    app.file_uploader(key="image-reference").upload("told.png", content, "image/png").run()
    assert not app.exception
    assert app.text_area(key="image-prompt").value == "my own words"
    assert app.pills(key="image-way").value == "image"
    assert "nothing this form can be filled with" in words(app)
    app.button(key="generate").click().run()  # it is a reference like any other
    assert not app.exception
    assert studio().store.generation_lists.list(LOCAL_OWNER).items[0].request.has_image


def test_picked_pictures_are_kept_from_page_to_page_and_deleted_together(
    app: AppTest, studio: Opened
) -> None:
    app.run()
    for number in range(7):
        made(studio(), f"wish {number}", n=4, shade=number * 9)
    open_page(app)
    app.toggle(key="gallery-picking").set_value(True).run()
    app.checkbox(key=f"pick-{pictures(studio())[0].picture.id}").check().run()
    assert "**1** selected" in words(app)
    app.button(key="older-gallery-below").click().run()
    app.button(key="pick-page").click().run()
    assert "**5** selected" in words(app)
    app.button(key="delete-picked").click().run()
    assert len(tiles(app)) == 23, "a page that is gone is the last one that is there"
    app.button(key="gallery-undo").click().run()
    assert "Pictures: 28" in words(app)
    assert not app.exception


def test_a_zip_holds_the_originals_and_tells_of_each(app: AppTest, studio: Opened) -> None:
    app.run()
    made(studio(), "一只猫", n=2)
    made(studio(), "=1+1", shade=90)
    items = pictures(studio())
    lost = items[-1]
    studio().archive.remove(lost.picture.name)
    with zipfile.ZipFile(io.BytesIO(zip_of(studio().archive, items))) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        table = archive.read("manifest.csv").decode("utf-8-sig")
        files = {
            entry["picture_id"]: archive.read(entry["file"])
            for entry in manifest["pictures"]
            if entry["file"] is not None
        }
    assert len(manifest["pictures"]) == 3
    assert set(files) == {item.picture.id for item in items} - {lost.picture.id}
    for item in items[:-1]:
        assert hashlib.sha256(files[item.picture.id]).hexdigest() == item.picture.sha256
    assert "一只猫" in table
    assert "'=1+1" in table
    assert not app.exception


def test_a_picture_whose_file_is_gone_says_so_and_the_others_are_shown(
    app: AppTest, studio: Opened
) -> None:
    app.run()
    made(studio(), "a cat", n=2, shade=200)
    studio().archive.remove(pictures(studio())[0].picture.name)
    open_page(app)
    assert len(tiles(app)) == 2
    assert len(app.get("image")) == 1
    app.button(key=f"open-{pictures(studio())[0].picture.id}").click().run()
    assert app.error
    assert not app.exception


def test_a_recovered_picture_says_that_its_prompt_is_unknown(app: AppTest, studio: Opened) -> None:
    app.run()
    task = KlingTask(
        task_id="1", status=TaskStatus.SUCCEED, external_task_id="inkling-1", images=()
    )
    generation = studio().store.intents.adopt_task(LOCAL_OWNER, task, provider="kling")
    assert generation is not None
    part = studio().archive.new_part()
    part.write_bytes(png(1))
    file = studio().archive.adopt(
        part, created_at=generation.created_at, generation_id=generation.id, index=0
    )
    studio().store.expected_pictures.add(
        generation.id,
        0,
        name=file.name,
        media_type=file.media_type,
        width=file.width,
        height=file.height,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
    )
    open_page(app)
    assert tiles(app) == ["Prompt unknown"]
    app.button(key=f"open-{pictures(studio())[0].picture.id}").click().run()
    shown = words(app)
    assert "does not give back prompts" in shown
    # Kling does not tell the ratio either; a time of day such as 01:11 is none.
    assert not re.search(r"(?<!\d)1\\:1(?!\d)", shown)
    assert not app.exception


def test_a_practice_picture_says_that_nothing_was_deducted(
    app: AppTest, studio: Opened, until: Until
) -> None:
    app.run()
    generation = studio().generations.request(LOCAL_OWNER, ImageRequest(prompt="a cat"))
    store = studio().store
    until(lambda: store.generation_lists.list(LOCAL_OWNER, active_only=True).items == ())
    done = store.generations.get(LOCAL_OWNER, generation.id)
    assert done is not None
    assert done.unit_deduction  # counted as Kling would
    open_page(app)
    app.button(key=f"open-{pictures(studio())[0].picture.id}").click().run()
    assert "none (practice is free)" in words(app).replace("\\", "")
    assert not app.exception


def test_practice_pictures_are_not_recovered(app: AppTest) -> None:
    open_page(app)
    assert keys(app, "recover") == []
    assert not app.exception


@pytest.fixture
def live(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The gallery of a studio that holds a key of Kling's, which practice plays."""
    kling = PracticeServer(settings=QUICK)
    kling.start()
    monkeypatch.setenv("KLING_API_KEY", PRACTICE_KLING_API_KEY)
    monkeypatch.setenv("KLING_API_ORIGIN", kling.origin)
    open_page(app)
    yield app
    kling.stop()


def test_an_empty_store_gets_its_pictures_back_from_kling(
    live: AppTest, studio: Opened, until: Until
) -> None:
    generation = studio().generations.request(LOCAL_OWNER, ImageRequest(prompt="a cat", n=2))
    until(lambda: len(pictures(studio())) == 2)
    until(lambda: studio().store.generation_lists.list(LOCAL_OWNER, active_only=True).items == ())
    forget(studio(), generation)
    live.run()
    assert "No pictures yet" in words(live)
    live.button(key="recover").click().run()
    run_until(live, lambda: live.success, "Kling has told what it has")
    assert any("recovered: 1" in one.value for one in live.success)
    until(lambda: len(pictures(studio())) == 2)
    live.button(key="recover").click().run()
    run_until(live, lambda: "Nothing to recover" in words(live), "Kling is asked once more")
    assert not live.success
    assert tiles(live) == ["Prompt unknown"] * 2
    assert not live.exception


def test_a_press_counts_though_a_picture_comes_in_that_moment(
    live: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch over what is on its way has news before the button that was pressed is drawn."""
    counts = chain([0], repeat(1))
    monkeypatch.setattr(arrivals, "_is_waiting", lambda: True)
    monkeypatch.setattr(arrivals, "_count", lambda: next(counts))
    live.button(key="recover").click().run()
    run_until(live, lambda: "Nothing to recover" in words(live), "Kling is asked")
    assert not live.exception


def forget(studio: Studio, generation: Generation) -> None:
    """Lose a task's rows, as a host does that wipes its disk."""
    with studio.store.conversations._database.write() as connection:
        for table in (
            schema.generation_events,
            schema.picture_slots,
            schema.pictures,
        ):
            connection.execute(delete(table).where(table.c.generation_id == generation.id))
        connection.execute(
            delete(schema.generations).where(schema.generations.c.id == generation.id)
        )
