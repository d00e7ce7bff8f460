"""Conversations, their messages' tree, and answers that grow, on both databases."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from core.errors import BusyError, InputError
from core.models.chat import AnswerStatus, ChatParameters, Message, Usage
from core.storage.chat.running_answers import AnswerDraft, SaveOutcome
from core.storage.store import Store
from tests.conftest import Clock
from tests.kept_answers import end_answer

PARAMETERS = ChatParameters(model="deepseek-pro", thinking=True, effort="max", temperature=0.3)


def ask(
    store: Store, conversation_id: str, question: str | None, parent_id: str | None = None
) -> tuple[Message | None, Message]:
    return store.messages.begin_answer(
        "ada",
        conversation_id,
        question=question,
        parent_id=parent_id,
        parameters=PARAMETERS,
        model="deepseek-pro",
        practice=False,
        process_id="process-1",
        lease_s=30,
    )


def answered(
    store: Store, conversation_id: str, question: str | None, parent_id: str | None, content: str
) -> Message:
    _question, answer = ask(store, conversation_id, question, parent_id)
    end_answer(store, "ada", answer.id, content)
    found = store.messages.get("ada", answer.id)
    assert found is not None
    return found


def contents(path: tuple[Message, ...]) -> list[str]:
    return [message.content for message in path]


# Conversations


def test_a_conversation_keeps_what_it_was_given(store: Store) -> None:
    made = store.conversations.create(
        "ada", title="墨", system_prompt="Be brief.", parameters=PARAMETERS, origin="http"
    )
    assert store.conversations.get("ada", made.id) == made
    assert (made.title, made.system_prompt, made.parameters, made.origin) == (
        "墨",
        "Be brief.",
        PARAMETERS,
        "http",
    )
    assert made.created_at.utcoffset() == timedelta(0)


def test_nobody_sees_or_touches_what_belongs_to_another(store: Store) -> None:
    mine = store.conversations.create("ada")
    answer = answered(store, mine.id, "secret", None, "answer")
    conversations, messages = store.conversations, store.messages
    assert conversations.get("bob", mine.id) is None
    assert conversations.list("bob").items == ()
    assert conversations.count("bob") == 0
    assert messages.get("bob", answer.id) is None
    assert messages.path("bob", mine.id) == ()
    assert messages.versions("bob", answer.id) == ()
    assert not store.running_answers.request_stop("bob", answer.id)
    assert store.search.find("bob", "secret").items == ()
    for act in (
        lambda: conversations.rename("bob", mine.id, "x", manual=True),
        lambda: conversations.configure("bob", mine.id, pinned=True),
        lambda: conversations.delete("bob", mine.id),
        lambda: conversations.restore("bob", mine.id),
        lambda: conversations.usage_totals("bob", mine.id),
        lambda: messages.choose_version("bob", mine.id, answer.id),
        lambda: messages.add("bob", mine.id, role="user", content="x", parent_id=None),
        lambda: store.exports.conversation("bob", mine.id),
    ):
        with pytest.raises(InputError):
            act()
    assert conversations.get("ada", mine.id) is not None
    assert contents(messages.path("ada", mine.id)) == ["secret", "answer"]


def test_a_message_cannot_hang_in_another_conversation(store: Store) -> None:
    first, second = store.conversations.create("ada"), store.conversations.create("ada")
    foreign = answered(store, first.id, "?", None, "!")
    with pytest.raises(InputError) as caught:
        ask(store, second.id, "?", foreign.id)
    assert caught.value.text_id == "error.message_gone"
    with pytest.raises(InputError):
        store.messages.choose_version("ada", second.id, foreign.id)
    assert store.messages.path("ada", second.id, head_id=foreign.id) == ()


def test_pinned_ones_come_first_then_the_newest_and_pages_miss_none(store: Store) -> None:
    made = [store.conversations.create("ada", title=str(n)) for n in range(7)]
    for number in (2, 5):
        store.conversations.configure("ada", made[number].id, pinned=True)
    answered(store, made[0].id, "?", None, "!")
    titles: list[str] = []
    cursor = None
    while True:
        page = store.conversations.list("ada", limit=2, cursor=cursor)
        assert len(page.items) <= 2
        titles += [conversation.title for conversation in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert titles == ["5", "2", "0", "6", "4", "3", "1"]


@pytest.mark.parametrize(
    "cursor", ["", "?", "W10", "WzEsMl0", "W3RydWUsOTk5OTk5OTk5OTk5OTk5OTk5OTksImEiXQ"]
)
def test_a_malformed_cursor_is_said_to_be_one(store: Store, cursor: str) -> None:
    with pytest.raises(InputError) as caught:
        store.conversations.list("ada", cursor=cursor)
    assert caught.value.text_id == "error.cursor_malformed"


def test_the_models_title_never_replaces_a_persons(store: Store) -> None:
    conversation = store.conversations.create("ada")
    rename = store.conversations.rename
    assert rename("ada", conversation.id, "by model", manual=False).title == "by model"
    assert rename("ada", conversation.id, "by Ada", manual=True).title == "by Ada"
    assert rename("ada", conversation.id, "by model", manual=False).title == "by Ada"
    assert rename("ada", conversation.id, "by Ada again", manual=True).title == "by Ada again"


def test_renaming_and_configuring_do_not_move_a_conversation(store: Store) -> None:
    conversation = store.conversations.create("ada")
    store.conversations.rename("ada", conversation.id, "new", manual=True)
    changed = store.conversations.configure(
        "ada", conversation.id, parameters=PARAMETERS, system_prompt="系统"
    )
    assert changed == replace(
        conversation,
        title="new",
        title_is_manual=True,
        parameters=PARAMETERS,
        system_prompt="系统",
    )


def test_a_deleted_conversation_can_be_restored_until_it_is_purged(
    store: Store, clock: Clock
) -> None:
    conversation = store.conversations.create("ada", title="find me")
    answered(store, conversation.id, "find me", None, "!")
    store.conversations.delete("ada", conversation.id)
    assert store.conversations.get("ada", conversation.id) is None
    assert store.conversations.list("ada").items == ()
    assert store.search.find("ada", "find me").items == ()
    assert store.messages.path("ada", conversation.id) == ()
    assert store.conversations.restore("ada", conversation.id).title == "find me"
    assert len(store.search.find("ada", "find me").items) == 2

    store.conversations.delete("ada", conversation.id)
    assert store.conversations.purge(clock.now - timedelta(days=1)) == 0
    assert store.conversations.purge(clock.advance(1)) == 1
    with pytest.raises(InputError) as caught:
        store.conversations.restore("ada", conversation.id)
    assert caught.value.text_id == "error.conversation_gone"


def test_a_very_long_conversation_can_be_purged(store: Store, clock: Clock) -> None:
    conversation = store.conversations.create("ada")
    messages = []
    for number in range(1500):
        messages.append(
            {
                "id": f"m{number}",
                "parent_id": f"m{number - 1}" if number else None,
                "role": "user",
                "content": "x",
                "created_at": clock.now.isoformat(),
            }
        )
    payload = store.exports.conversation("ada", conversation.id)
    payload["conversations"][0]["messages"] = messages  # type: ignore[index]
    payload["conversations"][0]["head_id"] = "m1499"  # type: ignore[index]
    store.imports.import_file("ada", io.BytesIO(json.dumps(payload).encode()))
    assert len(store.messages.path("ada", conversation.id)) == 1500
    store.conversations.delete("ada", conversation.id)
    assert store.conversations.purge(clock.advance(1)) == 1


# The tree


def test_question_and_answer_come_in_one_step_and_are_shown(store: Store) -> None:
    conversation = store.conversations.create("ada")
    question, answer = ask(store, conversation.id, "你好?")
    assert question is not None
    assert (question.role, question.content, question.parent_id) == ("user", "你好?", None)
    assert (answer.role, answer.status, answer.parent_id) == (
        "assistant",
        AnswerStatus.RUNNING,
        question.id,
    )
    assert (answer.parameters, answer.model, answer.practice) == (PARAMETERS, "deepseek-pro", False)
    assert store.messages.path("ada", conversation.id) == (question, answer)


def test_regenerating_keeps_the_earlier_versions(store: Store) -> None:
    conversation = store.conversations.create("ada")
    first = answered(store, conversation.id, "?", None, "one")
    second = answered(store, conversation.id, None, first.parent_id, "two")
    third = answered(store, conversation.id, None, first.parent_id, "three")
    shown = store.messages.path("ada", conversation.id)
    assert contents(shown) == ["?", "three"]
    assert (shown[1].version, shown[1].version_count) == (3, 3)
    versions = store.messages.versions("ada", second.id)
    assert [(v.id, v.version, v.version_count) for v in versions] == [
        (first.id, 1, 3),
        (second.id, 2, 3),
        (third.id, 3, 3),
    ]


def test_only_a_question_can_be_answered_again(store: Store) -> None:
    conversation = store.conversations.create("ada")
    answer = answered(store, conversation.id, "?", None, "one")
    for parent_id in (answer.id, None, "nothing"):
        with pytest.raises(InputError) as caught:
            ask(store, conversation.id, None, parent_id)
        assert caught.value.text_id == "error.message_gone"


def test_both_branches_of_an_edited_question_stay_reachable(store: Store) -> None:
    conversation = store.conversations.create("ada")
    first = answered(store, conversation.id, "q1", None, "a1")
    answered(store, conversation.id, "q2", first.id, "a2")
    edited = answered(store, conversation.id, "q1 edited", None, "a1'")
    assert contents(store.messages.path("ada", conversation.id)) == ["q1 edited", "a1'"]
    assert edited.parent_id is not None
    old, new = store.messages.versions("ada", edited.parent_id)
    back = store.messages.choose_version("ada", conversation.id, old.id)
    assert contents(store.messages.path("ada", back.id)) == ["q1", "a1", "q2", "a2"]
    store.messages.choose_version("ada", conversation.id, new.id)
    assert contents(store.messages.path("ada", conversation.id)) == ["q1 edited", "a1'"]


def test_choosing_a_version_leads_to_what_was_said_last_below_it(store: Store) -> None:
    conversation = store.conversations.create("ada")
    first = answered(store, conversation.id, "q", None, "a")
    left = answered(store, conversation.id, "left", first.id, "left answer")
    answered(store, conversation.id, "right", first.id, "right answer")
    answered(store, conversation.id, "deeper left", left.id, "deeper left answer")
    store.messages.choose_version("ada", conversation.id, first.id)
    assert contents(store.messages.path("ada", conversation.id))[-1] == "deeper left answer"


def test_turns_of_a_posted_chat_are_added_as_they_are(store: Store) -> None:
    conversation = store.conversations.create("ada", origin="http")
    parent_id = None
    for role, text in (("system", "s"), ("user", "u"), ("assistant", "a")):
        parent_id = store.messages.add(
            "ada",
            conversation.id,
            role=role,  # type: ignore[arg-type]
            content=text,
            parent_id=parent_id,
        ).id
    assert [m.role for m in store.messages.path("ada", conversation.id)] == [
        "system",
        "user",
        "assistant",
    ]


# Answers under way


def status_of(store: Store, answer: Message) -> AnswerStatus | None:
    found = store.messages.get("ada", answer.id)
    return None if found is None else found.status


def test_a_second_question_is_refused_while_one_is_being_answered(store: Store) -> None:
    conversation = store.conversations.create("ada")
    _question, answer = ask(store, conversation.id, "first")
    with pytest.raises(BusyError) as caught:
        ask(store, conversation.id, "second", answer.id)
    assert caught.value.text_id == "error.conversation_busy"
    assert contents(store.messages.path("ada", conversation.id)) == ["first", ""]
    other = store.conversations.create("ada")
    _question, elsewhere = ask(store, other.id, "elsewhere")
    for one in (answer, elsewhere):
        assert status_of(store, one) is AnswerStatus.RUNNING


def test_a_continued_answer_starts_where_the_other_ended(store: Store) -> None:
    conversation = store.conversations.create("ada")
    first = answered(store, conversation.id, "q", None, "half")
    _none, answer = store.messages.begin_answer(
        "ada",
        conversation.id,
        question=None,
        parent_id=first.parent_id,
        parameters=PARAMETERS,
        model="m",
        practice=True,
        process_id="p",
        lease_s=30,
        content="half",
        reasoning_content="hm",
    )
    assert (answer.content, answer.reasoning_content, answer.version) == ("half", "hm", 2)
    assert answer.practice


def test_an_answer_ends_with_everything_known_about_it(store: Store) -> None:
    conversation = store.conversations.create("ada")
    _question, answer = ask(store, conversation.id, "q")
    ended = replace(
        answer,
        content="text",
        reasoning_content="thought",
        status=AnswerStatus.FAILED,
        finish_reason="length",
        usage=Usage(1, 2, 3, 0, None, 6),
        model="deepseek-chat-9",
        error_text_id="error.provider",
        error_facts={"code": 500},
        error_detail="oops",
        reasoning_s=1.5,
        first_token_s=0.25,
        duration_s=2.75,
    )
    store.running_answers.save_final([ended])
    assert store.messages.get("ada", answer.id) == ended


def test_many_running_answers_are_saved_in_one_transaction(store: Store) -> None:
    answers = [ask(store, store.conversations.create("ada").id, "q")[1] for _ in range(3)]
    end_answer(store, "ada", answers[2].id, "done")
    outcomes = store.running_answers.save_running(
        [
            *(AnswerDraft(answer.id, f"text {answer.id}", "thought") for answer in answers),
            AnswerDraft("nothing", "?"),
        ],
        lease_s=30,
    )
    assert [outcomes[answer.id] for answer in answers] == ["saved", "saved", "final"]
    assert outcomes["nothing"] is SaveOutcome.GONE
    saved = [store.messages.get("ada", answer.id) for answer in answers]
    assert [m and m.content for m in saved] == [
        f"text {answers[0].id}",
        f"text {answers[1].id}",
        "done",
    ]


def test_an_ended_answer_is_never_brought_back(store: Store) -> None:
    answer = answered(store, store.conversations.create("ada").id, "q", None, "the end")
    late = [AnswerDraft(answer.id, "late")]
    assert store.running_answers.save_running(late, lease_s=30)[answer.id] is SaveOutcome.FINAL
    store.running_answers.save_final(
        [replace(answer, content="later", status=AnswerStatus.STOPPED)]
    )
    assert store.messages.get("ada", answer.id) == answer


def test_a_wish_to_stop_reaches_whoever_runs_the_answer(
    open_store: Callable[..., Store],
) -> None:
    runner, page = open_store(), open_store()
    _question, answer = ask(runner, runner.conversations.create("ada").id, "q")
    drafts = [AnswerDraft(answer.id, "text")]
    assert runner.running_answers.save_running(drafts, lease_s=30)[answer.id] is SaveOutcome.SAVED
    assert page.running_answers.request_stop("ada", answer.id)
    assert (
        runner.running_answers.save_running(drafts, lease_s=30)[answer.id]
        is SaveOutcome.STOP_REQUESTED
    )
    end_answer(runner, "ada", answer.id, "text", status=AnswerStatus.STOPPED)
    assert not page.running_answers.request_stop("ada", answer.id)


@pytest.mark.parametrize("hours", [0, 3, -3, 24 * 40])
def test_an_answer_whose_lease_stands_still_is_interrupted_with_its_text(
    store: Store, clock: Clock, hours: int
) -> None:
    """By whatever clock the lease was given, or whoever looks at it goes."""
    (_q, dead), (_r, alive) = (
        ask(store, store.conversations.create("ada").id, "q") for _ in range(2)
    )
    store.running_answers.save_running([AnswerDraft(dead.id, "half a")], lease_s=30)
    clock.advance(3600.0 * hours + 1.0)
    seen = store.running_answers.held(besides=())
    assert set(seen) == {dead.id, alive.id}
    assert set(store.running_answers.held(besides=[alive.id])) == {dead.id}
    store.running_answers.save_running([AnswerDraft(alive.id, "on")], lease_s=30)
    store.running_answers.interrupt_held(seen)
    assert set(store.running_answers.held(besides=())) == {alive.id}
    interrupted = store.messages.get("ada", dead.id)
    assert interrupted is not None
    assert (interrupted.status, interrupted.content) == (AnswerStatus.INTERRUPTED, "half a")
    assert status_of(store, alive) is AnswerStatus.RUNNING
    assert len(store.search.find("ada", "half a").items) == 1
    end_answer(store, "ada", dead.id, "too late")
    assert store.messages.get("ada", dead.id) == interrupted


def test_a_process_that_is_alone_interrupts_what_all_others_ran(store: Store) -> None:
    _question, theirs = ask(store, store.conversations.create("ada").id, "q")
    assert store.running_answers.interrupt_others("process-1") == 0
    assert store.running_answers.interrupt_others("process-2") == 1
    found = store.messages.get("ada", theirs.id)
    assert found is not None
    assert found.status is AnswerStatus.INTERRUPTED


def test_an_answer_that_was_ended_as_dead_does_not_block_the_next_question(store: Store) -> None:
    conversation = store.conversations.create("ada")
    _question, dead = ask(store, conversation.id, "q")
    with pytest.raises(BusyError):
        ask(store, conversation.id, "again", dead.id)
    store.running_answers.interrupt_held(store.running_answers.held(besides=()))
    ask(store, conversation.id, "again", dead.id)


# Usage


def test_usage_adds_up_what_was_given_and_counts_answers_without(store: Store) -> None:
    conversation = store.conversations.create("ada")
    for usage in (Usage(10, 20, 30, 4, 6, None), Usage(1, 2, None, 0, 1, None), None):
        path = store.messages.path("ada", conversation.id)
        _question, answer = ask(store, conversation.id, "q", path[-1].id if path else None)
        end_answer(store, "ada", answer.id, "a", usage=usage)
    ask(store, conversation.id, "running", None)
    totals = store.conversations.usage_totals("ada", conversation.id)
    assert totals.answers == 3
    assert totals.answers_without_usage == 1
    assert totals.usage == Usage(11, 22, 30, 4, 7, None)


def test_usage_of_nothing_is_not_zero(store: Store) -> None:
    totals = store.conversations.usage_totals("ada", store.conversations.create("ada").id)
    assert (totals.answers, totals.usage) == (0, Usage())
