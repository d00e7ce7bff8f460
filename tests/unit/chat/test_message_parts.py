"""Messages of parts in the store, on both databases: kept whole, masked, and each its owner's."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from core.models.chat import AnswerStatus, ChatParameters, Message, Turn
from core.models.parts import (
    Blob,
    FilePart,
    Part,
    PicturePart,
    TextPart,
    ToolCall,
    ToolResult,
    plain_text,
)
from core.providers.deepseek.endpoint import ChatEndpoint
from core.providers.deepseek.messages import messages_from
from core.storage.chat.message_parts import parts_in, parts_out
from core.storage.chat.posted_chats import PostedChat
from core.storage.db.database import Database
from core.storage.db.schema import blobs, messages
from core.storage.store import Store
from core.wire.masking.secrets import known_secrets
from core.work.chat.asking.context import stored_turns
from core.work.chat.live_answer import LiveAnswer
from tests.conftest import Clock

OWN = ChatEndpoint("https://api.deepseek.com/chat/completions")
PICTURE = Blob(b"\x89PNG\r\n\x1a\n\x00\xff", "image/png")
SHOWN = PicturePart(sha256=PICTURE.sha256, name="猫.png", media_type="image/png")
LONG_AFTER = timedelta(days=90)

# The databases keep neither NUL nor halves of surrogate pairs in `content`.
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
PARTS: dict[str, list[st.SearchStrategy[Part]]] = {
    "user": [
        st.builds(TextPart, WORDS),
        st.builds(PicturePart, WORDS, WORDS, WORDS, WORDS, st.sampled_from(["", "low", "high"])),
        st.builds(FilePart, WORDS, WORDS, WORDS),
    ],
    "assistant": [st.builds(TextPart, WORDS), st.builds(ToolCall, WORDS, WORDS, WORDS)],
    "tool": [st.builds(ToolResult, WORDS, WORDS, WORDS)],
}
TURNS = st.sampled_from(["user", "assistant", "tool"]).flatmap(
    lambda role: st.builds(
        Turn, st.just(role), st.lists(st.one_of(PARTS[role]), max_size=5).map(tuple)
    )
)


def ask(
    store: Store, question: Turn, *attached: Blob, owner: str = "ada", parent: Message | None = None
) -> tuple[Message, Message]:
    """Ask, in a conversation of its own where there is none."""
    conversation_id = parent.conversation_id if parent else store.conversations.create(owner).id
    asked, answer = store.messages.begin_answer(
        owner,
        conversation_id,
        question=question,
        parent_id=parent.id if parent else None,
        parameters=ChatParameters(),
        model="m",
        practice=True,
        process_id="p",
        lease_s=3600,
        attached=attached,
    )
    assert asked is not None
    return asked, answer


def end(store: Store, answer: Message, *parts: Part) -> Message:
    text = plain_text(parts)
    ended = replace(answer, content=text, parts=parts, status=AnswerStatus.COMPLETE)
    store.running_answers.save_final([ended])
    kept = store.messages.get("ada", answer.id)
    assert kept is not None
    return kept


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turn=TURNS)
def test_every_kind_of_part_is_kept_as_it_is_sent(store: Store, turn: Turn) -> None:
    asked, answer = ask(store, turn)
    ended = end(store, answer, *turn.content)
    for kept in (asked, ended, store.messages.path("ada", asked.conversation_id)[0]):
        assert kept.said() == turn.content
        assert kept.content == turn.text
        again = Turn(turn.role, kept.said())
        assert messages_from([again], OWN) == messages_from([turn], OWN)


@pytest.mark.parametrize("text", ["", "你好"])
def test_a_message_of_text_alone_has_no_parts(store: Store, store_url: str, text: str) -> None:
    ask(store, Turn.of_text("user", text))
    database = Database(store_url, busy_timeout_s=5)
    with database.read() as connection:
        assert connection.scalars(select(messages.c.parts)).all() == [None, None]
    database.close()


def test_the_text_of_an_answer_with_tool_calls_is_kept_once() -> None:
    parts = (TextPart("很长" * 1000), ToolCall("a", "find", "{}"))
    assert len(json.dumps(parts_out(parts))) < 200
    assert parts_in(parts_out(parts), plain_text(parts)) == parts


@pytest.mark.parametrize(
    "value",
    [
        "x",
        [None, {"type": "later", "a": 1}, {"type": "tool_call", "id": "a"}, {"type": "file"}],
        [{"type": "picture", "url": 5}, {"type": ["text"]}],
    ],
)
def test_what_is_no_part_is_left_out(value: object) -> None:
    assert parts_in(value, "text") == ()


def test_a_later_versions_field_is_left_out() -> None:
    assert parts_in([{"type": "text", "language": "zh"}], "好") == (TextPart("好"),)


def test_known_secrets_are_masked_in_every_part(store: Store, store_url: str) -> None:
    secret = 'sk-"0123\\456789-abcdef'
    known_secrets.add(secret)
    said: list[Part] = [
        TextPart(f"a {secret}"),
        FilePart(f"{secret}.txt", f"key = {secret}"),
        PicturePart(url=f"https://e.example/?key={secret}"),
    ]
    asked, answer = ask(store, Turn("user", tuple(said)))
    called = end(store, answer, ToolCall("a", "find", json.dumps({"key": secret})))
    result, _ = ask(store, Turn("tool", (ToolResult("a", f"{secret}!"),)), parent=called)
    assert [type(part) for part in asked.said()] == [TextPart, FilePart, PicturePart]
    shown = repr([asked, called, result])
    assert "…" in shown
    assert "456789" not in shown
    database = Database(store_url, busy_timeout_s=5)
    with database.read() as connection:
        rows = connection.exec_driver_sql("SELECT content, parts FROM messages").all()
    database.close()
    assert "456789" not in repr(rows)


def test_a_picture_is_sent_with_its_bytes(store: Store) -> None:
    asked, answer = ask(store, Turn("user", (TextPart("这是什么？"), SHOWN)), PICTURE)
    conversation = store.conversations.get("ada", asked.conversation_id)
    assert conversation is not None
    live = LiveAnswer(answer, "ada")
    (turn,) = stored_turns(store, "ada", conversation, live, with_reasoning=False)
    (message,) = messages_from([turn], OWN)
    url = "data:image/png;base64,iVBORw0KGgoA/w=="
    assert message["content"][1] == {"type": "image_url", "image_url": {"url": url}}


def test_a_result_of_tools_is_answered(store: Store) -> None:
    _, answer = ask(store, Turn.of_text("user", "找"))
    call, result = ToolCall("a", "find", "{}"), ToolResult("a", "找到了")
    called = end(store, answer, TextPart("我找。"), call)
    asked, again = ask(store, Turn("tool", (result,)), parent=called)
    assert (asked.role, asked.content, asked.parts) == ("tool", "", (result,))
    conversation = store.conversations.get("ada", asked.conversation_id)
    assert conversation is not None
    turns = stored_turns(store, "ada", conversation, LiveAnswer(again, "ada"), with_reasoning=False)
    assert [turn.content for turn in turns] == [
        (TextPart("找"),),
        (TextPart("我找。"), call),
        (result,),
    ]


def test_bytes_are_kept_once_and_only_their_owners_see_them(store: Store, store_url: str) -> None:
    ask(store, Turn("user", (SHOWN,)), PICTURE)
    ask(store, Turn("user", (SHOWN,)), PICTURE, owner="bob")
    ask(store, Turn("user", (SHOWN,)), owner="eve")  # who only knows the hash
    assert store.messages.blob("ada", PICTURE.sha256) == PICTURE
    assert store.messages.blob("bob", PICTURE.sha256) == PICTURE
    assert store.messages.blob("eve", PICTURE.sha256) is None
    database = Database(store_url, busy_timeout_s=5)
    with database.read() as connection:
        assert connection.scalars(select(blobs.c.sha256)).all() == [PICTURE.sha256]
    database.close()


def test_bytes_stay_as_long_as_a_message_points_to_them(store: Store, clock: Clock) -> None:
    asked, _ = ask(store, Turn("user", (SHOWN,)), PICTURE)
    again, _ = ask(store, Turn("user", (TextPart("再看"), SHOWN)))  # the owner's own already
    clock.advance(LONG_AFTER.total_seconds())
    store.conversations.delete("ada", asked.conversation_id)
    store.conversations.purge(clock())
    store.generation_lists.purge(clock())
    assert store.messages.blob("ada", PICTURE.sha256) == PICTURE
    store.conversations.delete("ada", again.conversation_id)
    store.conversations.purge(clock())
    store.generation_lists.purge(clock())
    assert store.messages.blob("ada", PICTURE.sha256) is None


def test_a_posted_chat_is_kept_with_its_parts(store: Store) -> None:
    earlier = (Turn("user", (SHOWN,)), Turn.of_text("assistant", "一只猫"))
    chat = PostedChat(
        owner="ada",
        question=Turn("user", (TextPart("什么颜色？"), FilePart("a.txt", "x"))),
        parameters=ChatParameters(),
        practice=True,
        title="猫",
        earlier=earlier,
        attached=(PICTURE,),
    )
    store.posted_chats.begin([chat], process_id="p", lease_s=60)
    path = store.messages.path("ada", chat.conversation_id)
    assert [message.said() for message in path[:-1]] == [
        turn.content for turn in (*earlier, chat.question)
    ]
    assert store.messages.blob("ada", PICTURE.sha256) == PICTURE


def test_words_are_found_beside_a_picture(store: Store) -> None:
    ask(store, Turn("user", (SHOWN, TextPart("一只墨色的猫"))), PICTURE)
    (hit,) = store.search.find("ada", "墨色的猫").items
    assert hit.snippet == "一只墨色的猫"
