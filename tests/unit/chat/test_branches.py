"""Forking a conversation, deleting a turn of it and bringing it back, on both databases."""

import pytest

from core.errors import BusyError, InputError
from core.models.chat import Conversation
from core.storage.store import Store
from tests.unit.chat.test_conversations_store import answered, ask, contents


@pytest.fixture
def talk(store: Store) -> Conversation:
    """Three turns, one after the other."""
    made = store.conversations.create("ada", title="墨", system_prompt="Be brief.")
    parent = None
    for number in "123":
        parent = answered(store, made.id, f"q{number}", parent, f"a{number}").id
    found = store.conversations.get("ada", made.id)
    assert found is not None
    return found


def said(store: Store, conversation: Conversation) -> list[str]:
    return contents(store.messages.path("ada", conversation.id))


def id_of(store: Store, conversation: Conversation, content: str) -> str:
    path = store.messages.path("ada", conversation.id)
    return next(message.id for message in path if message.content == content)


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("q1", ["q2", "a2", "q3", "a3"]),
        ("q2", ["q1", "a1", "q3", "a3"]),
        ("q3", ["q1", "a1", "q2", "a2"]),
    ],
)
def test_a_turn_is_deleted_what_follows_stays_and_it_comes_back(
    store: Store, talk: Conversation, question: str, left: list[str]
) -> None:
    whole = store.messages.path("ada", talk.id)
    removed = store.branches.remove_turn("ada", talk.id, id_of(store, talk, question))
    assert said(store, talk) == left
    assert store.conversations.count("ada") == 1
    assert not store.search.find("ada", question).items
    assert store.branches.restore_turn("ada", removed).head_id == talk.head_id
    assert store.messages.path("ada", talk.id) == whole


def test_the_only_turn_is_deleted_and_comes_back(store: Store) -> None:
    made = store.conversations.create("ada")
    answered(store, made.id, "q", None, "a")
    removed = store.branches.remove_turn("ada", made.id, id_of(store, made, "q"))
    assert said(store, made) == []
    store.branches.restore_turn("ada", removed)
    assert said(store, made) == ["q", "a"]


def test_a_version_goes_with_what_was_said_after_it(store: Store, talk: Conversation) -> None:
    question = id_of(store, talk, "q2")
    answered(store, talk.id, None, question, "a2 again")
    second = id_of(store, talk, "a2 again")
    removed = store.branches.remove_turn("ada", talk.id, second)
    assert said(store, talk) == ["q1", "a1", "q2", "a2", "q3", "a3"]
    store.branches.restore_turn("ada", removed)
    assert said(store, talk) == ["q1", "a1", "q2", "a2 again"]


def test_nothing_is_deleted_or_forked_while_its_answer_is_written(
    store: Store, talk: Conversation
) -> None:
    question, answer = ask(store, talk.id, "q4", talk.head_id)
    assert question is not None
    with pytest.raises(BusyError):
        store.branches.remove_turn("ada", talk.id, question.id)
    with pytest.raises(BusyError):
        store.branches.fork("ada", talk.id, answer.id, "x")


def test_a_turn_whose_place_is_gone_does_not_come_back(store: Store, talk: Conversation) -> None:
    removed = store.branches.remove_turn("ada", talk.id, id_of(store, talk, "q2"))
    store.branches.remove_turn("ada", talk.id, id_of(store, talk, "q1"))
    with pytest.raises(InputError):
        store.branches.restore_turn("ada", removed)
    assert said(store, talk) == ["q3", "a3"]


def test_a_fork_is_a_copy_up_to_a_message_and_the_source_stays(
    store: Store, talk: Conversation
) -> None:
    forked = store.branches.fork("ada", talk.id, id_of(store, talk, "a2"), "墨 (branch)")
    assert said(store, forked) == ["q1", "a1", "q2", "a2"]
    assert (forked.title, forked.system_prompt) == ("墨 (branch)", "Be brief.")
    answered(store, forked.id, "other", forked.head_id, "way")
    assert said(store, talk) == ["q1", "a1", "q2", "a2", "q3", "a3"]
    assert forked.origin == "page"
    assert {one.conversation.id for one in store.search.find("ada", "a2").items} == {
        talk.id,
        forked.id,
    }
