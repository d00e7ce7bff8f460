"""Tools on the chat page: switched on by a person, their steps shown, pictures only on a press."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.models.generations import Generation
from core.models.parts import steps_in
from core.work.studio import Studio
from tests.app.elements import words
from tests.app.test_chat_page import ask

Opened = Callable[[], Studio]


def switched_on(app: AppTest) -> AppTest:
    app.run()
    next(one for one in app.toggle if one.label == "Tools").set_value(True).run()
    return app


def drawn(studio: Opened) -> list[Generation]:
    return list(studio().store.generation_lists.list(LOCAL_OWNER).items)


def test_steps_are_shown_with_what_they_took_and_the_answer_tells_their_cost(
    app: AppTest, studio: Opened
) -> None:
    switched_on(app)
    ask(app, "/practice tool-calculator /practice tool-search inkstones 6*7")
    assert not app.exception
    shown = words(app)
    (conversation,) = studio().store.conversations.list(LOCAL_OWNER).items
    answer = studio().store.messages.path(LOCAL_OWNER, conversation.id)[-1]
    assert [step.state for step in steps_in(answer.parts)] == ["done", "done"]
    labels = [one.label for one in app.expander]
    (calculated,) = [one for one in labels if one.startswith("Calculated `6*7`")]
    assert " s" in calculated
    (searched,) = [one for one in labels if one.startswith("Searched")]
    assert "practice" in searched  # its price, in practice's money
    assert "42" in shown
    assert "Turns: 3, tool calls: 2" in shown
    assert "practice-8" not in shown
    assert len([one for one in app.get("html") if 'ol class=\\"inkling-' in str(one.proto)]) == 1


def test_tools_are_off_until_somebody_switches_them_on(app: AppTest, studio: Opened) -> None:
    app.run()
    ask(app, "/practice tool-calculator 6*7")
    assert not [one for one in app.expander if one.label.startswith("Calculated")]


def test_a_proposed_picture_is_drawn_once_when_it_is_pressed_and_never_before(
    app: AppTest, studio: Opened, until: Callable[[Callable[[], bool]], None]
) -> None:
    switched_on(app)
    ask(app, "/practice tool-draw a lighthouse in fog")
    assert not app.exception
    assert not drawn(studio)
    press = next(one for one in app.button if str(one.key).startswith("have-"))
    assert "≈" in press.label
    press.click().run()
    assert not app.exception
    (made,) = drawn(studio)
    assert made.request.prompt.startswith("a lighthouse in fog")
    assert not [one for one in app.button if str(one.key).startswith("have-")]
    assert "Handed to the studio" in words(app)
    app.run()
    assert len(drawn(studio)) == 1


def test_what_tools_brought_to_a_cut_answer_is_there_when_it_is_continued(
    app: AppTest, studio: Opened
) -> None:
    switched_on(app)
    ask(app, "/practice tool-search inkstones /practice then-500 9")
    (conversation,) = studio().store.conversations.list(LOCAL_OWNER).items
    cut = studio().store.messages.path(LOCAL_OWNER, conversation.id)[-1]
    assert not cut.content.strip()
    go_on = next(one for one in app.button if one.key == f"continue-{cut.id}")
    go_on.click().run()
    app.run()
    assert not app.exception
    rest = studio().store.messages.path(LOCAL_OWNER, conversation.id)[-1]
    assert (rest.version, rest.status) == (2, "complete")
    assert [replace(step, made_in="") for step in steps_in(rest.parts)] == [*steps_in(cut.parts)]
    assert len([one for one in app.expander if one.label.startswith("Searched")]) == 1
    assert len([one for one in app.get("html") if 'ol class=\\"inkling-' in str(one.proto)]) == 1
    assert "The tools have returned" in words(app)


@pytest.mark.parametrize("way", ["continued", "forked"])
@pytest.mark.parametrize("pressed", ["before", "after"])
def test_a_proposal_is_bought_once_however_often_its_answer_is_copied(
    app: AppTest, studio: Opened, way: str, pressed: str
) -> None:
    switched_on(app)
    ask(app, "/practice tool-draw a lighthouse in fog /practice then-500 9")
    store = studio().store
    (conversation,) = store.conversations.list(LOCAL_OWNER).items
    cut = store.messages.path(LOCAL_OWNER, conversation.id)[-1]

    def press() -> None:
        for one in [one for one in app.button if str(one.key).startswith("have-")]:
            one.click().run()

    if pressed == "before":
        press()
        assert len(drawn(studio)) == 1
    if way == "continued":
        next(one for one in app.button if one.key == f"continue-{cut.id}").click().run()
    else:
        forked = store.branches.fork(LOCAL_OWNER, conversation.id, cut.id, "a copy")
        app.query_params["c"] = forked.id
    app.run()
    assert not app.exception
    press()
    if pressed == "after":  # in the first version, too
        store.messages.choose_version(LOCAL_OWNER, conversation.id, cut.id)
        app.query_params["c"] = conversation.id
        app.run()
        press()
    assert not app.exception
    assert len(drawn(studio)) == 1
    assert "Handed to the studio" in words(app)
