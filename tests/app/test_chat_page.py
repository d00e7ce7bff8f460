"""The chat page, as a person uses it, on the practice provider."""

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.models.parts import sources_in
from core.work.studio import Studio
from tests.app.elements import shown, words
from tests.app.sidebar import listed

Opened = Callable[[], Studio]
Until = Callable[[Callable[[], bool]], None]


def button(app: AppTest, label: str) -> object:
    return next(one for one in app.button if one.label == label)


def ask(app: AppTest, question: str) -> None:
    app.chat_input[0].set_value(question).run()


def test_an_empty_page_offers_first_questions_and_says_it_is_practice(app: AppTest) -> None:
    app.run()
    assert "Practice mode" in words(app)
    assert any("Tell me about this app" in one.label for one in app.button)
    assert not app.exception


def test_a_question_is_answered_and_kept(app: AppTest, studio: Opened) -> None:
    app.run()
    ask(app, "Tell me about this app")
    shown = words(app)
    assert "Tell me about this app" in shown
    assert "Inkling" in shown
    assert "tokens" in shown
    conversation = studio().store.conversations.list(LOCAL_OWNER).items[0]
    question, answer = studio().store.messages.path(LOCAL_OWNER, conversation.id)
    assert question.content == "Tell me about this app"
    assert answer.status == "complete"
    assert answer.usage is not None
    assert not app.exception


def test_a_second_question_goes_under_the_first(app: AppTest, studio: Opened) -> None:
    app.run()
    ask(app, "hello")
    ask(app, "and prices?")
    conversation = studio().store.conversations.list(LOCAL_OWNER).items[0]
    path = studio().store.messages.path(LOCAL_OWNER, conversation.id)
    assert [message.role for message in path] == ["user", "assistant"] * 2
    assert not app.exception


def test_reasoning_is_folded_under_its_time(app: AppTest, studio: Opened) -> None:
    app.run()
    app.toggle[0].set_value(True).run()
    ask(app, "hello")
    assert any("Thought for" in expander.label for expander in app.expander)
    conversation = studio().store.conversations.list(LOCAL_OWNER).items[0]
    answer = studio().store.messages.path(LOCAL_OWNER, conversation.id)[-1]
    assert answer.reasoning_content
    assert answer.reasoning_s is not None
    assert not app.exception


def test_parameters_without_effect_while_thinking_are_shown_as_such(app: AppTest) -> None:
    app.run()
    assert not app.slider[0].disabled
    app.toggle[0].set_value(True).run()
    assert all(slider.disabled for slider in app.slider)
    assert "no effect" in words(app)
    assert not app.exception


def test_a_whole_answer_comes_without_streaming(app: AppTest, studio: Opened) -> None:
    app.run()
    next(one for one in app.toggle if one.key == "stream-new").set_value(False).run()
    ask(app, "hello")
    conversation = studio().store.conversations.list(LOCAL_OWNER).items[0]
    answer = studio().store.messages.path(LOCAL_OWNER, conversation.id)[-1]
    assert answer.status == "complete"
    assert answer.parameters is not None
    assert not answer.parameters.stream
    assert not app.exception


def test_an_answer_is_made_again_and_the_versions_are_leafed_through(app: AppTest) -> None:
    app.run()
    ask(app, "hello")
    button(app, "Regenerate").click().run()  # type: ignore[attr-defined]
    assert "2 / 2" in words(app)
    earlier = next(one for one in app.button if one.icon == "" and "chevron_left" in one.label)
    earlier.click().run()
    assert "1 / 2" in words(app)
    assert not app.exception


def test_an_answer_waits_in_the_page_to_be_copied_as_it_came(app: AppTest) -> None:
    app.run()
    ask(app, 'Write <b>"quotes"</b> & --> arrows')
    question = next(
        str(one.value) for one in shown(app, "html") if "Copy this question" in one.value
    )
    source = re.search('data-source="([^"]*)"', question)
    assert source is not None
    assert "<" not in source[1]
    assert ">" not in source[1]
    assert json.loads(unescape(source[1])) == 'Write <b>"quotes"</b> & --> arrows'


def test_the_list_leaves_out_conversations_over_http(app: AppTest, studio: Opened) -> None:
    def titles() -> list[tuple[str, str, bool]]:
        app.run()
        return [(row["group"], row["title"], "current" in row) for row in listed(app)]

    app.run()
    conversations = studio().store.conversations
    page = conversations.create(LOCAL_OWNER, title="Written here")
    http = conversations.create(LOCAL_OWNER, title="Over HTTP", origin="http")
    assert titles() == [("Today", "Written here", False)]
    app.query_params["c"] = http.id
    assert titles() == [("Today", "Over HTTP", True), ("Today", "Written here", False)]
    conversations.configure(LOCAL_OWNER, http.id, pinned=True)
    app.query_params["c"] = page.id
    assert titles() == [("Pinned", "Over HTTP", False), ("Today", "Written here", True)]
    assert not app.exception


def test_a_question_is_asked_in_other_words(app: AppTest) -> None:
    app.run()
    ask(app, "hello")
    button(app, "Edit").click().run()  # type: ignore[attr-defined]
    editor = next(one for one in app.text_area if one.value == "hello")
    editor.set_value("hello again")
    button(app, "Ask again").click().run()  # type: ignore[attr-defined]
    assert "hello again" in words(app)
    assert "2 / 2" in words(app)
    assert not app.exception


def test_a_deleted_conversation_comes_back(app: AppTest, studio: Opened) -> None:
    app.run()
    ask(app, "hello")
    conversation = studio().store.conversations.list(LOCAL_OWNER).items[0]
    studio().store.conversations.delete(LOCAL_OWNER, conversation.id)
    app.run()
    assert "does not exist" in words(app) or not app.get("chat_message")
    studio().store.conversations.restore(LOCAL_OWNER, conversation.id)
    app.run()
    assert [row["id"] for row in listed(app)] == [conversation.id]
    app.query_params["c"] = conversation.id
    app.run()
    assert "hello" in words(app)
    assert not app.exception


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("401", "refused the API key"),
        ("402", "balance"),
        ("429", "Too many requests"),
        ("500", "has a fault"),
        ("html", "web page instead of an answer"),
        ("cut", "not complete"),
        ("length", "length limit"),
        ("content_filter", "content filter"),
        ("insufficient_system_resource", "ran out of capacity"),
        ("empty", "empty answer"),
        ("no-usage", "not given"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_the_page_goes_on(
    app: AppTest, fault: str, sentence: str
) -> None:
    app.run()
    ask(app, f"/practice {fault}")
    assert sentence in words(app)
    ask(app, "hello")
    assert app.get("chat_message")
    assert not app.exception


def test_a_wait_the_provider_asks_for_is_counted_down_and_then_answered(
    app: AppTest, studio: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    enqueue = ForwardMsgQueue.enqueue

    def noting(queue: ForwardMsgQueue, message: ForwardMsg) -> None:
        sent.append(message.delta.new_element.markdown.body)
        enqueue(queue, message)

    app.run()
    monkeypatch.setattr(ForwardMsgQueue, "enqueue", noting)
    ask(app, "/practice retry-after 8")  # longer than a busy machine needs for a run
    told = [int(found[1]) for one in sent if (found := re.search(r"asking again in (\d+)", one))]
    assert told == sorted(set(told), reverse=True)
    assert len(told) >= 2
    assert "asking again" not in words(app)
    conversation = studio().store.conversations.list(LOCAL_OWNER).items[0]
    answer = studio().store.messages.path(LOCAL_OWNER, conversation.id)[-1]
    assert answer.status == "complete"
    assert answer.content
    assert not app.error
    assert not app.warning
    assert not app.exception


def test_a_data_folder_without_write_permission_is_told_and_tried_again(
    app: AppTest, data_dir: Path
) -> None:
    data_dir.write_text("in the way")  # a file where the folder should be: root may write anywhere
    app.run()
    assert app.error
    assert str(data_dir) in app.error[0].value
    data_dir.unlink()
    button(app, "Try again").click().run()  # type: ignore[attr-defined]
    assert not app.error
    assert app.chat_input
    assert not app.exception


def test_the_language_switch_stays(app: AppTest, data_dir: Path) -> None:
    app.run()
    assert app.chat_input[0].placeholder == "Ask something…"
    app.button_group(key="language-choice").set_value("zh").run()
    assert app.chat_input[0].placeholder == "问点什么…"
    again = AppTest.from_file(app._script_path, default_timeout=30).run()
    assert again.chat_input[0].placeholder == "问点什么…"
    assert not app.exception
    assert not again.exception


def test_the_switch_has_the_web_searched_and_says_what_that_costs(
    app: AppTest, studio: Opened
) -> None:
    app.run()
    next(one for one in app.toggle if one.key == "search-new").set_value(True).run()
    assert "web search 0.005 practice coins" in words(app)
    ask(app, "Tell me about inkstones")
    conversation = studio().store.conversations.list(LOCAL_OWNER).items[0]
    assert conversation.parameters.search
    question, answer = studio().store.messages.path(LOCAL_OWNER, conversation.id)
    assert len(sources_in(question.parts)) == 8
    assert "[8]" in answer.content
    assert "web 0.005 practice coins" in words(app)
    assert not app.exception


def test_a_search_that_finds_nothing_leaves_the_question_to_be_answered_without(
    app: AppTest,
) -> None:
    app.run()
    next(one for one in app.toggle if one.key == "search-new").set_value(True).run()
    ask(app, "/practice web-empty inkstones")
    assert "Nothing was found on the web" in words(app)
    assert button(app, "Look once more")
    button(app, "Answer without the web").click().run()  # type: ignore[attr-defined]
    assert "Nothing was found on the web" not in words(app)
    assert button(app, "Regenerate")
    assert not app.exception
