"""The images page, as a person uses it, on the practice provider."""

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.models.generations import GenerationRequest, GenerationStatus, ImageRequest
from core.texts import catalogue
from core.ui.generations import progress, results
from core.work.studio import Studio
from tests.app.elements import words

Opened = Callable[[], Studio]
Until = Callable[[Callable[[], bool]], None]

PROMPT = "image-prompt"


def open_page(app: AppTest) -> None:
    app.run()
    app.switch_page("pages/images.py").run()


def generate(app: AppTest, prompt: str) -> None:
    app.text_area(key=PROMPT).set_value(prompt)
    app.button(key="generate").click().run()


def png(width: int, height: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def upload(app: AppTest, name: str, content: bytes, media_type: str) -> None:
    app.file_uploader(key="image-reference").upload(name, content, media_type).run()


def generations(studio: Studio) -> tuple[Any, ...]:
    return studio.store.generation_lists.list(LOCAL_OWNER).items


def test_four_pictures_arrive_and_are_shown(app: AppTest, studio: Opened, until: Until) -> None:
    open_page(app)
    app.number_input(key="image-n").set_value(4)
    generate(app, "四只猫")
    assert len(generations(studio())) == 1
    until(lambda: generations(studio())[0].status is GenerationStatus.ARCHIVED)
    app.run()
    assert len(generations(studio())[0].pictures) == 4
    assert len(app.get("image")) == 4
    assert len(app.get("download_button")) == 4
    assert not [one for one in app.button if one.key == "cancel-waiting"]
    assert not app.exception


@pytest.mark.parametrize(
    ("kept", "prompt", "n"),
    [
        ({"prompt": "一只猫", "n": 3, "model": "kling-v2-1", "ratio": "16:9"}, "一只猫", 3),
        ({"prompt": "a cat", "n": 99, "model": "gone", "ratio": "5:1", "more": 1}, "a cat", 9),
        ({"prompt": 7, "n": "x"}, "", 1),
        (["not", "ours"], "", 1),
    ],
)
def test_a_draft_that_the_browser_kept_fills_the_form_as_far_as_it_can(
    app: AppTest, kept: object, prompt: str, n: int
) -> None:
    def page(kept: object) -> None:
        from core.ui.generations import draft, form, options  # noqa: PLC0415 - run by itself

        draft.take(kept)
        form.draw()
        assert options.number()

    drawn = AppTest.from_function(page, args=(kept,), default_timeout=30)
    app.run()  # opens the studio
    drawn.run()
    assert (drawn.text_area(key=PROMPT).value or "") == prompt
    assert drawn.number_input(key="image-n").value == n
    assert not drawn.exception


def test_a_prompt_of_2501_characters_is_told_and_nothing_is_bought(
    app: AppTest, studio: Opened
) -> None:
    open_page(app)
    generate(app, "墨" * 2501)
    assert any("2501" in error.value and "2500" in error.value for error in app.error)
    assert generations(studio()) == ()
    assert app.text_area(key=PROMPT).value == "墨" * 2501
    assert not app.exception


def test_an_empty_prompt_is_told(app: AppTest, studio: Opened) -> None:
    open_page(app)
    generate(app, "  ")
    assert app.error
    assert generations(studio()) == ()
    assert not app.exception


def test_a_text_file_named_png_is_told(app: AppTest, studio: Opened) -> None:
    open_page(app)
    upload(app, "notes.png", b"just some words, not a picture", "image/png")
    generate(app, "一只猫")
    assert any("not" in error.value and "picture" in error.value for error in app.error)
    assert generations(studio()) == ()
    assert not app.exception


def test_a_12_mb_picture_is_told(app: AppTest, studio: Opened) -> None:
    noise = Image.frombytes("RGB", (2048, 2048), random.Random(1).randbytes(3 * 2048 * 2048))
    buffer = BytesIO()
    noise.save(buffer, "PNG")
    content = buffer.getvalue()
    assert len(content) > 12_000_000
    open_page(app)
    upload(app, "large.png", content, "image/png")
    generate(app, "一只猫")
    assert any("10" in error.value and "MB" in error.value for error in app.error)
    assert generations(studio()) == ()
    assert not app.exception


def test_a_reference_picture_goes_with_the_wish(app: AppTest, studio: Opened, until: Until) -> None:
    open_page(app)
    upload(app, "cat.png", png(400, 400), "image/png")
    generate(app, "像这样的猫")
    (generation,) = generations(studio())
    assert generation.request.has_image
    until(lambda: generations(studio())[0].status is GenerationStatus.ARCHIVED)
    assert not app.exception


def test_klings_refusal_is_shown_with_its_reason(
    app: AppTest, studio: Opened, until: Until
) -> None:
    open_page(app)
    generate(app, "gore")
    until(lambda: generations(studio())[0].status is GenerationStatus.REFUSED)
    app.run()
    assert "Refused" in words(app)
    assert any("content" in error.value for error in app.error)
    assert not app.exception


def test_klings_failure_is_shown_with_its_reason(
    app: AppTest, studio: Opened, until: Until
) -> None:
    open_page(app)
    generate(app, "something sensitive")
    until(lambda: generations(studio())[0].status is GenerationStatus.FAILED)
    app.run()
    assert "Failed" in words(app)
    assert app.error
    assert not app.exception


def test_two_clicks_in_a_row_are_one_wish(app: AppTest, studio: Opened) -> None:
    open_page(app)
    generate(app, "一只猫")
    app.button(key="generate").click().run()
    assert len(generations(studio())) == 1
    assert not app.exception


def test_several_wishes_run_at_once(app: AppTest, studio: Opened, until: Until) -> None:
    open_page(app)
    for prompt in ("一座山", "一片海", "一座城"):
        generate(app, prompt)
    assert len(generations(studio())) == 3
    until(
        lambda: all(
            generation.status is GenerationStatus.ARCHIVED for generation in generations(studio())
        )
    )
    app.run()
    assert len(app.get("image")) == 3
    assert not app.exception


def test_a_running_task_says_how_long_such_tasks_take_here(
    app: AppTest, studio: Opened, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.work.generations.usual_durations.KEPT_S", 0.0)
    open_page(app)
    generate(app, "/practice slow 600")
    until(lambda: generations(studio())[0].status is GenerationStatus.SUBMITTED)
    app.run()
    assert "Too few such tasks" in words(app)
    for number in range(5):
        generate(app, f"一座山 {number}")
    until(
        lambda: sum(one.status is GenerationStatus.ARCHIVED for one in generations(studio())) == 5
    )
    app.run()
    assert ", by past tasks: 5" in words(app)
    assert not app.exception


def test_what_waits_is_cancelled_at_once_and_what_was_sent_goes_on(
    app: AppTest, studio: Opened, until: Until
) -> None:
    open_page(app)
    for number in range(12):  # practice draws nine at a time
        studio().generations.request(LOCAL_OWNER, ImageRequest(f"/practice slow 60 {number}"))

    def waiting() -> list[Any]:
        return [one for one in generations(studio()) if progress.is_waiting(one)]

    # One of them may be tried again at any moment, and is let go then.
    until(lambda: len(waiting()) == 3)
    app.run()
    assert "**12** under way, **0** done" in words(app)
    app.button(key="cancel-waiting").click().run()
    ended = Counter(one.status.is_final for one in generations(studio()))
    assert ended[False] in (9, 10)
    assert all(one.submitted_at is None for one in generations(studio()) if one.status.is_final)
    assert not app.exception


def test_the_price_follows_the_form_once_it_costs_something(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLING_API_KEY", "kling-test-key")
    open_page(app)
    app.number_input(key="image-n").set_value(3).run()
    assert "≈ ¥0.60" in app.button(key="generate").label
    assert "About 24 units" in words(app)
    app.selectbox(key="image-model").set_value("kling-v2-1").run()
    assert "≈ ¥0.30" in app.button(key="generate").label
    monkeypatch.setattr("core.models.money.prices.PIECE_PRICES", ())
    app.run()
    assert "¥" not in app.button(key="generate").label, "unknown is not nothing"
    assert "not known" in words(app)
    assert not app.exception


@pytest.mark.parametrize("stopped", ["kling-v2", "kling-v2-new", "kling-v1-5"])
def test_a_model_that_kling_stopped_is_not_offered_and_a_choice_of_it_moves(
    app: AppTest, stopped: str
) -> None:
    app.run()
    app.session_state["image-model"] = stopped
    app.switch_page("pages/images.py").run()
    chooser = app.selectbox(key="image-model")
    names = [option.rpartition(" ")[2] for option in chooser.options]
    assert names == ["kling-v3", "kling-v2-1", "kling-v1"]
    assert chooser.value == "kling-v2-1"
    assert f"Kling stopped {stopped} on 2026-09-15; kling-v2-1 is chosen" in words(app)
    chooser.set_value("kling-v3").run()
    assert "Kling stopped" not in words(app)
    assert not app.exception


def test_a_generation_of_a_stopped_model_fills_the_form_with_its_successor(
    app: AppTest, studio: Opened
) -> None:
    open_page(app)
    request = ImageRequest(prompt="old", model_name="kling-v2", resolution="2k", n=2)
    app.session_state["inkling"].wanted = request
    app.run()
    assert app.selectbox(key="image-model").value == "kling-v2-1"
    assert "Kling stopped kling-v2" in words(app)
    generate(app, "old")
    made = generations(studio())[0]
    assert (made.request.model_name, made.request.resolution) == ("kling-v2-1", "2k")
    assert not app.exception


def test_a_task_whose_key_is_gone_says_what_it_waits_for(
    app: AppTest, studio: Opened, data_dir: Path
) -> None:
    open_page(app)
    studio().store.intents.create(
        LOCAL_OWNER, ImageRequest(prompt="一只猫"), provider="kling", external_task_id="ink-1"
    )
    app.run()
    assert any("密钥" in warning.value or "the key" in warning.value for warning in app.warning)
    assert not app.exception


def test_what_a_later_version_asked_for_is_shown_by_its_words(app: AppTest, studio: Opened) -> None:
    class LaterRequest(GenerationRequest):
        kind: ClassVar[str] = "later"

    open_page(app)
    request = LaterRequest("A long river", model_name="kling-later")
    studio().store.intents.create(LOCAL_OWNER, request, provider="practice")
    app.run()
    assert "kling-later" in words(app)
    assert any("A long river" in one.value for one in app.text)
    assert not app.exception
    app.switch_page("pages/gallery.py").run()
    assert not app.exception


def test_a_wish_that_kling_is_too_busy_for_says_so_and_asks_to_be_left_alone(
    app: AppTest, studio: Opened, until: Until
) -> None:
    open_page(app)
    generate(app, "/practice 1303")
    (wish,) = generations(studio())
    history = studio().store.generations.history
    until(lambda: any("1303" in f"{event.note}" for event in history(LOCAL_OWNER, wish.id)))
    app.run()
    (warning,) = app.warning
    assert "Kling is busy" in warning.value
    assert "do not generate it again" in warning.value
    assert not app.exception


def test_a_file_that_is_no_picture_is_fetched_again_when_asked_to(
    app: AppTest, studio: Opened, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.work.generations.collection.UNREADABLE_TRIES", 1)
    open_page(app)
    generate(app, "/practice unreadable-picture 1")
    until(lambda: generations(studio())[0].status is GenerationStatus.FAILED)
    app.run()
    (wish,) = generations(studio())
    assert not app.get("image")
    assert app.button(key=f"fetch-{wish.id}").label == "Fetch again"
    app.button(key=f"fetch-{wish.id}").click().run()
    until(lambda: generations(studio())[0].status is GenerationStatus.ARCHIVED)
    app.run()
    (same,) = generations(studio())
    assert (same.id, same.task_id) == (wish.id, wish.task_id)  # nothing was bought
    assert len(app.get("image")) == 1
    assert not [one for one in app.button if one.label == "Fetch again"]
    assert not app.error
    assert not app.exception


def test_a_task_may_end_while_the_page_is_drawn(
    app: AppTest, studio: Opened, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch over what is under way finds nothing there any more."""
    open_page(app)
    generate(app, "一只猫")
    until(lambda: generations(studio())[0].status is GenerationStatus.ARCHIVED)
    (wish,) = generations(studio())
    open_before = replace(wish, status=GenerationStatus.PROCESSING, pictures=())
    monkeypatch.setattr(results, "read", lambda: ((open_before,), (wish,)))
    app.run()
    assert len(app.get("image")) == 1
    app.button(key=f"star-tile-{wish.pictures[0].id}").click().run()
    assert studio().store.gallery.list_pictures(LOCAL_OWNER).items[0].picture.favourite
    assert not app.exception


def test_what_a_waiting_task_says_never_asks_to_try_again() -> None:
    for language, advice in (("en", "try again"), ("zh", "重试")):
        texts = catalogue.texts_of(language)
        waiting = {key: said for key, said in texts.items() if key.startswith("trouble.")}
        assert waiting
        assert not [key for key, said in waiting.items() if advice in said]
        of_tasks = re.compile(r"error\.((network|picture|store)_.*|kling_(?!policy).*)")
        assert not [
            key
            for key, said in texts.items()
            if of_tasks.fullmatch(key)
            and advice in said
            and key.replace("error.", "trouble.") not in waiting
        ]
