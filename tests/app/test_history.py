"""The history page, as a person uses it: find, open at the place, keep in order, take along."""

import io
import json
import zipfile
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.models.chat import Conversation, Usage
from core.storage.chat.conversations import UsageTotals
from core.ui import session
from core.ui.history import conversations as history_list
from core.ui.history.markdown_export import as_markdown, file_name
from core.ui.history.transfer import markdown_zip
from core.work.studio import Studio
from tests.app.elements import shown, words
from tests.unit.foreign.samples import SAMPLES

Opened = Callable[[], Studio]

QUERY = "history-query"


@pytest.fixture(autouse=True)
def without_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the page's own input, as where no routes are served: others may have loaded them."""
    monkeypatch.setattr("core.ui.history.large_transfer.is_possible", lambda: False)


def open_page(app: AppTest) -> None:
    app.run()
    app.switch_page("pages/history.py").run()


def say(
    studio: Studio,
    title: str,
    *turns: tuple[str, str],
    usage: Usage | None = None,
) -> Conversation:
    """Write down a conversation as if it had been held."""
    store = studio.store
    conversation = store.conversations.create(LOCAL_OWNER, title=title)
    parent_id = None
    for question, answer in turns:
        asked = store.messages.add(
            LOCAL_OWNER, conversation.id, role="user", content=question, parent_id=parent_id
        )
        answered = store.messages.add(
            LOCAL_OWNER, conversation.id, role="assistant", content=answer, parent_id=asked.id
        )
        parent_id = answered.id
    found = store.conversations.get(LOCAL_OWNER, conversation.id)
    assert found is not None
    return found


def links(app: AppTest) -> list[str]:
    return [link.label for link in shown(app, "page_link")]


def open_menu(app: AppTest, conversation: Conversation) -> None:
    app.session_state[f"row-menu-{conversation.id}"] = True
    app.run()


def open_transfer(app: AppTest) -> None:
    app.session_state["history-transfer"] = True
    app.run()


def test_an_empty_history_leads_to_the_chat(app: AppTest) -> None:
    open_page(app)
    assert "No conversations yet" in words(app)
    assert links(app) == ["New chat"]
    assert not app.exception


def test_words_are_found_in_both_languages_and_marked(app: AppTest, studio: Opened) -> None:
    app.run()
    say(
        studio(),
        "Ink",
        ("怎样磨墨？", "清水慢慢磨，墨色才匀。"),
        ("And the brush?", "A *soft* one."),
    )
    say(studio(), "Else", ("Hello", "Nothing of the kind."))
    open_page(app)
    app.text_input(key=QUERY).set_value("墨色").run()
    assert links(app) == ["Ink"]
    assert ":primary-background[墨色]" in words(app)
    app.text_input(key=QUERY).set_value("soft").run()
    assert r"A \*:primary-background[soft]\* one\." in words(app)
    app.text_input(key=QUERY).set_value("墨色 never").run()
    assert links(app) == []
    assert "Nothing found" in words(app)
    assert not app.exception


def test_a_hit_opens_the_conversation_at_its_place(app: AppTest, studio: Opened) -> None:
    app.run()
    turns = [(f"question {number}", f"answer {number}") for number in range(6)]
    conversation = say(studio(), "Long", *turns)
    path = studio().store.messages.path(LOCAL_OWNER, conversation.id)
    app.query_params["c"] = conversation.id
    app.query_params["m"] = path[5].id
    app.run()
    shown = words(app)
    assert "question 2" in shown
    assert "answer 2" in shown
    assert "question 1" not in shown
    assert "question 3" not in shown
    app.button(key="show-all-messages").click().run()
    assert all(f"answer {number}" in words(app) for number in range(6))
    assert "m" not in app.query_params
    assert not app.exception


def test_the_place_is_shown_with_the_words_that_were_found(app: AppTest, studio: Opened) -> None:
    app.run()
    conversation = say(studio(), "Long", ("one", "x " * 500 + "needle"), ("two", "straw"))
    path = studio().store.messages.path(LOCAL_OWNER, conversation.id)
    open_page(app)
    app.text_input(key=QUERY).set_value("needle").run()
    app.query_params["c"] = conversation.id
    app.query_params["m"] = path[1].id
    app.switch_page("pages/chat.py").run()
    assert ":primary-background[needle]" in words(app)
    assert not app.chat_input[0].proto.is_auto_positioned_at_bottom  # it would scroll to the end
    app.button(key="show-all-messages").click().run()
    assert ":primary-background[needle]" not in words(app)
    assert app.chat_input[0].proto.is_auto_positioned_at_bottom
    assert not app.exception


def test_conversations_over_http_are_marked(app: AppTest, studio: Opened) -> None:
    app.run()
    say(studio(), "Written here", ("words", "b"))
    open_page(app)
    assert "HTTP" not in words(app)
    over_http = studio().store.conversations.create(LOCAL_OWNER, title="words", origin="http")
    app.run()
    assert links(app) == [over_http.title, "Written here"]
    assert "marked HTTP" in words(app)
    assert ["HTTP · " in one.value for one in app.caption[-2:]] == [True, False]
    app.text_input(key=QUERY).set_value("words").run()
    assert ["HTTP · " in one.value for one in app.caption[-2:]] == [True, False]
    assert not app.exception


def test_a_place_in_another_version_is_chosen_once(app: AppTest, studio: Opened) -> None:
    app.run()
    conversation = say(studio(), "Versions", ("question", "first answer"))
    store = studio().store
    question, first = store.messages.path(LOCAL_OWNER, conversation.id)
    second = store.messages.add(
        LOCAL_OWNER,
        conversation.id,
        role="assistant",
        content="second answer",
        parent_id=question.id,
    )
    app.query_params["c"] = conversation.id
    app.query_params["m"] = first.id
    app.run()
    assert "first answer" in words(app)
    assert "second answer" not in words(app)
    store.messages.choose_version(LOCAL_OWNER, conversation.id, second.id)
    app.run()
    assert "second answer" in words(app)
    assert not app.exception


def test_a_link_to_a_message_that_is_gone_shows_the_conversation(
    app: AppTest, studio: Opened
) -> None:
    app.run()
    conversation = say(studio(), "Short", ("question", "answer"))
    app.query_params["c"] = conversation.id
    app.query_params["m"] = "nothing"
    app.run()
    assert "answer" in words(app)
    assert not app.exception


def test_a_conversation_is_pinned_renamed_deleted_and_brought_back(
    app: AppTest, studio: Opened
) -> None:
    app.run()
    kept = say(studio(), "Old one", ("a", "b"))
    say(studio(), "New one", ("c", "d"))
    open_page(app)
    assert links(app) == ["New one", "Old one"]

    open_menu(app, kept)
    app.button(key=f"pin-{kept.id}").click().run()
    assert links(app) == ["Old one", "New one"]

    open_menu(app, kept)
    app.text_input(key=f"title-{kept.id}").set_value("Better [name]")
    next(one for one in app.button if one.label == "Rename").click().run()
    renamed = studio().store.conversations.get(LOCAL_OWNER, kept.id)
    assert renamed is not None
    assert renamed.title == "Better [name]"
    assert renamed.title_is_manual
    assert links(app)[0] == r"Better \[name\]"

    open_menu(app, kept)
    app.button(key=f"delete-{kept.id}").click().run()
    assert links(app) == ["New one"]
    app.button(key="history-undo").click().run()
    assert links(app) == [r"Better \[name\]", "New one"]
    assert not app.exception


def test_only_one_page_of_many_conversations_is_drawn(app: AppTest, studio: Opened) -> None:
    app.run()
    for number in range(45):
        say(studio(), f"Talk {number}")
    open_page(app)
    assert links(app) == [f"Talk {number}" for number in range(44, 24, -1)]
    assert "Conversations: 45" in words(app)
    app.button(key="older-history-below").click().run()
    app.button(key="older-history-below").click().run()
    assert links(app) == [f"Talk {number}" for number in range(4, -1, -1)]
    assert app.button(key="older-history-below").disabled
    app.button(key="newer-history-below").click().run()
    assert links(app)[0] == "Talk 24"
    assert not app.exception


def test_what_was_not_told_is_never_shown_as_a_number(app: AppTest, studio: Opened) -> None:
    app.run()
    say(studio(), "Untold", ("question", "answer"))
    open_page(app)
    assert "Answers: 1 · Usage: not given" in words(app)
    assert not app.exception


@pytest.mark.parametrize(
    ("totals", "line"),
    [
        (UsageTotals(0, 0, Usage()), "No answers yet"),
        (UsageTotals(2, 2, Usage()), "Answers: 2 · Usage: not given"),
        (
            UsageTotals(3, 1, Usage(prompt_tokens=1200, completion_tokens=80)),
            "Answers: 3 · 1,200 in · 80 out tokens · 1 of them without usage",
        ),
        (
            UsageTotals(1, 0, Usage(prompt_tokens=1200)),
            "Answers: 1 · 1,200 in · not given out tokens",
        ),
    ],
)
def test_usage_is_added_up_as_far_as_it_was_told(
    totals: UsageTotals, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "language", lambda: "en")
    assert history_list.totals_line(totals) == line


def test_an_export_is_imported_again_without_loss_or_doubling(app: AppTest, studio: Opened) -> None:
    app.run()
    conversation = say(studio(), "Travels", ("one", "two"), ("three", "four"))
    exported = studio().store.exports.conversations(LOCAL_OWNER)
    studio().store.conversations.delete(LOCAL_OWNER, conversation.id)
    open_page(app)
    open_transfer(app)
    app.file_uploader(key="import-0").upload(
        "inkling.json", json.dumps(exported).encode(), "application/json"
    ).run()
    assert any("New conversations: 1;" in one.value for one in app.success)
    assert links(app) == ["Travels"]
    open_transfer(app)
    app.file_uploader(key="import-1").upload(
        "inkling.json", json.dumps(exported).encode(), "application/json"
    ).run()
    assert any("New conversations: 0; known already: 1;" in one.value for one in app.success)
    assert links(app) == ["Travels"]
    assert len(studio().store.messages.path(LOCAL_OWNER, conversation.id)) == 4
    assert not app.exception


def test_another_chats_export_comes_in_and_what_did_not_is_named(
    app: AppTest, studio: Opened
) -> None:
    open_page(app)
    open_transfer(app)
    sample = SAMPLES["deepseek-zip"]
    data = sample.file([{"title": "*Odd*", "mapping": {}}, *sample.entries()])
    app.file_uploader(key="import-0").upload("chats.zip", data, "application/zip").run()
    assert any("New conversations: 2;" in one.value for one in app.success)
    assert [one.value for one in app.warning if "could not be imported: 1" in one.value] == [
        "Conversations that could not be imported: 1\n\n"
        r"- Number 1 (\*Odd\*): without messages"
    ]
    assert "Sea trip" in links(app)
    open_transfer(app)
    app.file_uploader(key="import-1").upload("x.json", b'{"a": 1}', "application/json").run()
    assert all(name in app.error[0].value for name in ("ChatGPT", "Cherry Studio", "LibreChat"))
    assert not app.exception


@pytest.mark.parametrize("content", [b"", b"not json", b'{"format": "other"}', b"[1, 2"])
def test_a_malformed_import_is_told_in_a_sentence(
    app: AppTest, studio: Opened, content: bytes
) -> None:
    open_page(app)
    open_transfer(app)
    app.file_uploader(key="import-0").upload("broken.json", content, "application/json").run()
    assert len(app.error) == 1
    assert studio().store.conversations.count(LOCAL_OWNER) == 0
    assert not app.exception


def test_a_conversation_reads_as_markdown(app: AppTest, studio: Opened) -> None:
    app.run()
    conversation = say(studio(), "Ink / 墨", ("How?", "# Slowly\n\n- with water"))
    path = studio().store.messages.path(LOCAL_OWNER, conversation.id)
    text = as_markdown("en", conversation, path)
    assert text.startswith("# Ink / 墨\n")
    assert "## Question" in text
    assert "\n\nHow?\n\n## Answer" in text
    assert text.endswith("# Slowly\n\n- with water\n")
    assert file_name(conversation, "md").endswith(f"-Ink-墨-{conversation.id[:6]}.md")
    assert not app.exception


def test_everything_fits_into_one_zip_of_markdown(app: AppTest, studio: Opened) -> None:
    app.run()
    for _ in range(3):
        say(studio(), "The same title", ("question", "answer"))
    content = markdown_zip(studio().store, LOCAL_OWNER, "zh")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(set(archive.namelist())) == 3
        assert "## 提问" in archive.read(archive.namelist()[0]).decode()
    assert not app.exception
