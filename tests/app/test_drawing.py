"""画成图: from an answer to a submitted task in two clicks, and on from there."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.models.generations import Generation, GenerationStatus
from core.models.lineage import Origin
from core.models.money.ledger import LineState
from core.storage.money.filters import LedgerFilter
from core.ui.gallery.zip_export import zip_of
from core.ui.history.markdown_export import markdown_of
from core.work.process_studio import close_studio
from core.work.studio import Studio
from tests.app.elements import shown, words
from tests.app.test_chat_page import ask

Opened = Callable[[], Studio]
Until = Callable[[Callable[[], bool]], None]

DRAW, SUBMIT = "Draw it", "Generate"


def click(app: AppTest, label: str) -> None:
    """Press the last button of that name, or whose name begins so."""
    named = [one for one in app.button if one.label.startswith(label)]
    named[-1].click().run()


def has(app: AppTest, label: str) -> bool:
    return any(one.label.startswith(label) for one in app.button)


def open_form(app: AppTest, studio: Opened, until: Until) -> None:
    """Press the first button, and wait for what the model writes."""
    click(app, DRAW)
    wait_for_prompt(app, studio, until)


def wait_for_prompt(app: AppTest, studio: Opened, until: Until) -> None:
    def is_written() -> bool:
        lines = [one for one in studio().store.ledger.every(LedgerFilter(kinds=["prompt"]))]
        return bool(lines) and all(line.state is not LineState.RESERVED for line in lines)

    until(is_written)
    until(lambda: has(app.run(), SUBMIT) or bool(app.error))


def drawn(studio: Opened) -> tuple[Generation, ...]:
    return studio().store.generation_lists.list(LOCAL_OWNER).items


def ended(studio: Opened, count: int = 1) -> bool:
    found = drawn(studio)
    return len(found) == count and all(one.status.is_final for one in found)


def answer_id(studio: Opened) -> str:
    conversation = studio().store.conversations.list(LOCAL_OWNER).items[0]
    return studio().store.messages.path(LOCAL_OWNER, conversation.id)[-1].id


@pytest.fixture
def answered(app: AppTest) -> AppTest:
    app.run()
    ask(app, "讲讲山里的竹子")
    return app


def test_two_clicks_lead_from_an_answer_to_a_task(
    answered: AppTest, studio: Opened, until: Until
) -> None:
    app = answered
    open_form(app, studio, until)  # the first
    prompt = app.text_area(key="drawing-prompt").value
    assert prompt
    assert drawn(studio) == ()
    (submit,) = [one for one in app.button if one.key == "drawing-submit"]
    assert "≈" in submit.label
    submit.click().run()  # the second
    (generation,) = drawn(studio)
    assert generation.request.prompt == prompt
    assert not has(app, SUBMIT)
    until(lambda: ended(studio))
    app.run()
    assert len(app.get("image")) == 1
    assert has(app, "Change it")
    assert not app.exception
    origin = studio().store.lineage.origins(LOCAL_OWNER, [generation.id])[generation.id]
    assert origin.message_id == answer_id(studio)


def test_exports_tell_of_it_from_both_ends(answered: AppTest, studio: Opened, until: Until) -> None:
    app = answered
    open_form(app, studio, until)
    app.button(key="drawing-submit").click().run()
    until(lambda: ended(studio))
    store, message = studio().store, answer_id(studio)
    (generation,) = drawn(studio)
    conversation = store.conversations.list(LOCAL_OWNER).items[0]
    told = markdown_of(store, LOCAL_OWNER, "en", conversation)
    assert "> Draw it · " in told
    assert generation.id in told
    items = store.gallery.list_pictures(LOCAL_OWNER).items

    def origin_of(generation_id: str) -> Origin | None:
        return store.lineage.origins(LOCAL_OWNER, [generation_id]).get(generation_id)

    file = io.BytesIO(zip_of(studio().archive, items, None, origin_of))
    with zipfile.ZipFile(file) as archive:
        (entry,) = json.loads(archive.read("manifest.json"))["pictures"]
    assert (entry["message_id"], entry["conversation_id"]) == (message, conversation.id)


def test_what_is_edited_is_what_is_drawn(answered: AppTest, studio: Opened, until: Until) -> None:
    app = answered
    open_form(app, studio, until)
    app.text_area(key="drawing-prompt").set_value("一叶扁舟")
    app.text_area(key="drawing-negative").set_value("人")
    app.number_input(key="drawing-n").set_value(2).run()
    assert has(app, "Generate 2")
    app.button(key="drawing-submit").click().run()
    (generation,) = drawn(studio)
    request: Any = generation.request
    assert (request.prompt, request.negative_prompt, request.n) == ("一叶扁舟", "人", 2)


def test_a_prompt_against_the_rules_is_refused_in_the_form(
    answered: AppTest, studio: Opened, until: Until
) -> None:
    app = answered
    open_form(app, studio, until)
    app.text_area(key="drawing-prompt").set_value("x" * 2501).run()
    app.button(key="drawing-submit").click().run()
    assert drawn(studio) == ()
    assert "2501" in words(app)
    app.text_area(key="drawing-prompt").set_value("x").run()
    app.button(key="drawing-submit").click().run()
    assert len(drawn(studio)) == 1


def test_a_wish_is_written_into_the_prompt(answered: AppTest, studio: Opened, until: Until) -> None:
    app = answered
    open_form(app, studio, until)
    app.text_input(key="drawing-wish").set_value("改成月夜").run()
    app.button(key="drawing-rewrite").click().run()
    wait_for_prompt(app, studio, until)
    assert "改成月夜" in str(app.text_area(key="drawing-prompt").value)
    lines = [one for one in studio().store.ledger.every(LedgerFilter(kinds=["prompt"]))]
    assert len(lines) == 2


def test_a_wish_that_fails_leaves_the_form_as_it_was(
    answered: AppTest, studio: Opened, until: Until
) -> None:
    app = answered
    open_form(app, studio, until)
    before = app.text_area(key="drawing-prompt").value
    app.text_input(key="drawing-wish").set_value("/practice 402").run()
    app.button(key="drawing-rewrite").click().run()
    until(lambda: bool(app.run().error) and has(app, SUBMIT))
    assert app.text_area(key="drawing-prompt").value == before


def test_change_it_goes_on_from_the_picture(
    answered: AppTest, studio: Opened, until: Until
) -> None:
    app = answered
    open_form(app, studio, until)
    app.text_area(key="drawing-prompt").set_value("一叶扁舟").run()
    app.button(key="drawing-submit").click().run()
    until(lambda: ended(studio))
    app.run()
    click(app, "Change it")
    assert app.text_area(key="drawing-prompt").value == "一叶扁舟"
    # Opening it asked nobody, and cost nothing.
    assert len(list(studio().store.ledger.every(LedgerFilter(kinds=["prompt"])))) == 1
    app.text_area(key="drawing-prompt").set_value("两叶扁舟").run()
    app.button(key="drawing-submit").click().run()
    until(lambda: ended(studio, 2))
    message = answer_id(studio)
    under = studio().store.lineage.drawn_from(LOCAL_OWNER, [message])[message]
    assert [one.link.request.prompt for one in under if one.link.request] == [
        "一叶扁舟",
        "两叶扁舟",
    ]


def test_a_refused_prompt_is_offered_two_milder_wordings(
    answered: AppTest, studio: Opened, until: Until
) -> None:
    app = answered
    open_form(app, studio, until)
    app.text_area(key="drawing-prompt").set_value("血腥的战场").run()
    app.button(key="drawing-submit").click().run()
    until(lambda: ended(studio))
    app.run()
    assert drawn(studio)[0].status is GenerationStatus.REFUSED
    click(app, "Two milder wordings")
    until(lambda: has(app.run(), "Take 2"))
    assert len(drawn(studio)) == 1  # nothing is drawn by it
    images = list(studio().store.ledger.every(LedgerFilter(kinds=["image"])))
    assert not [line for line in images if line.amount]
    click(app, "Take 2")
    chosen = str(app.text_area(key="drawing-prompt").value)
    assert chosen
    assert "血腥" not in chosen
    app.button(key="drawing-submit").click().run()
    until(lambda: ended(studio, 2))
    assert drawn(studio)[0].status is GenerationStatus.ARCHIVED
    assert not app.exception


def test_what_is_given_up_is_settled_and_shows_no_form(
    answered: AppTest, studio: Opened, until: Until
) -> None:
    app = answered
    open_form(app, studio, until)
    click(app, "Close")
    assert not has(app, SUBMIT)
    assert drawn(studio) == ()


def test_lineage_is_told_from_both_ends_after_a_restart_and_a_deletion(
    answered: AppTest, studio: Opened, until: Until
) -> None:
    app = answered
    open_form(app, studio, until)
    app.button(key="drawing-submit").click().run()
    until(lambda: ended(studio))
    picture = drawn(studio)[0].pictures[0].id
    close_studio()  # a restart
    app.run()
    assert len(app.get("image")) == 1
    app.switch_page("pages/gallery.py").run()
    app.button(key=f"open-{picture}").click().run()
    assert any("Drawn from" in one.label for one in shown(app, "page_link"))
    conversation = studio().store.conversations.list(LOCAL_OWNER).items[0]
    studio().store.conversations.delete(LOCAL_OWNER, conversation.id)
    app.run()
    assert "a conversation that was deleted" in words(app)
    studio().store.conversations.restore(LOCAL_OWNER, conversation.id)
    studio().store.generation_lists.delete(LOCAL_OWNER, drawn(studio)[0].id)
    app.query_params.clear()
    app.query_params["c"] = conversation.id
    app.switch_page("pages/chat.py").run()
    assert "deleted since" in words(app)
    assert not app.exception


def test_of_many_drawings_the_older_ones_are_folded(answered: AppTest, studio: Opened) -> None:
    app, store = answered, studio().store
    payload = store.exports.conversations(LOCAL_OWNER)
    (conversation,) = json.loads(json.dumps(payload))["conversations"]
    conversation["messages"][-1]["pictures"] = [
        {
            "generation_id": f"g{number}",
            "created_at": f"2026-01-01T00:00:{number:02}+00:00",
            "request": {"prompt": f"bamboo number {number}."},
        }
        for number in range(30)
    ]
    store.conversations.delete(LOCAL_OWNER, conversation["id"])
    store.conversations.purge(datetime.now(UTC) + timedelta(days=1))
    whole = payload | {"conversations": [conversation]}
    store.imports.import_file(LOCAL_OWNER, io.BytesIO(json.dumps(whole).encode()))
    app.run()
    assert not app.exception
    shown = words(app)
    assert "What was drawn before (18)" in shown
    assert shown.count("Drawn in another studio") == 12
    assert "number 29" in shown
    assert "number 17" not in shown
