"""A conversation begins with its question, answer and reservation, or does not begin at all."""

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import event as events

from core.access.owners import LOCAL_OWNER
from core.errors import AppError, InputError
from core.models.chat import AnswerStatus, ChatParameters
from core.models.money.ledger import Budget, BudgetError
from core.models.parts import Blob, FilePart, PicturePart
from core.settings import ChatSettings, Secret, Settings
from core.storage.db.database import Database
from core.work.attachments.extraction import ReadFile
from core.work.chat.titles import LONGEST_CHARACTERS
from core.work.studio import Studio
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, ending, event

LONG = "写 2000 字，关于砚台与墨的历史。" * 20
BUDGET = Budget("studio", "", "day", Decimal("0.0000001"), "CNY")
PICTURE = Blob(b"\x89PNG", "image/png")
KEY = "sk-first-0123456789abcdef"


def plan(_body: dict[str, Any]) -> Plan:
    """Say a few words."""
    yield Step(data=STREAM_HEAD + event(content="ink is soot") + ending() + DONE)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(plan) as opened:
        yield opened


@pytest.fixture
def studio(tmp_path: Path, upstream: Upstream) -> Iterator[Studio]:
    chat = ChatSettings(url=upstream.url, api_key=Secret(KEY))
    opened = Studio.open(Settings(data_dir=tmp_path, chat=chat))
    yield opened
    opened.close()


def test_one_transaction_writes_all_of_it_down(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, write = [], Database.write

    def counting(database: Database) -> Any:
        if threading.current_thread() is threading.main_thread():
            begun.append(database)
        return write(database)

    # What runs behind the answer's beginning is no part of what is waited for.
    monkeypatch.setattr("core.work.chat.runner.AnswerRunner.run", lambda _runner, _job: None)
    monkeypatch.setattr(Database, "write", counting)
    live = studio.answers.ask_first(LOCAL_OWNER, LONG, ChatParameters(), system_prompt="Be brief.")
    assert len(begun) == 1
    conversation = studio.store.conversations.get(LOCAL_OWNER, live.conversation_id)
    assert conversation is not None
    assert conversation.system_prompt == "Be brief."
    assert conversation.head_id == live.message_id
    assert conversation.title == LONG[: LONGEST_CHARACTERS - 1] + "…"
    assert not conversation.title_is_manual
    question, answer = studio.store.messages.path(LOCAL_OWNER, conversation.id)
    assert (question.content, answer.status) == (LONG, AnswerStatus.RUNNING)
    held = studio.store.ledger.several(LOCAL_OWNER, [answer.id])[answer.id]
    assert held.conversation_id == conversation.id


def test_its_answer_and_the_one_behind_it_are_kept(studio: Studio) -> None:
    live = studio.answers.ask_first(LOCAL_OWNER, "What is ink?", ChatParameters())
    assert live.saved.wait(60)
    conversation = studio.store.conversations.get(LOCAL_OWNER, live.conversation_id)
    assert conversation is not None
    again = studio.answers.ask(LOCAL_OWNER, conversation, "And glue?", ChatParameters())
    assert again.saved.wait(60)
    path = studio.store.messages.path(LOCAL_OWNER, conversation.id)
    said = ["What is ink?", "ink is soot", "And glue?", "ink is soot"]
    assert [message.content for message in path] == said


@pytest.mark.parametrize("prompt", ["", f"Use {KEY}."])
def test_a_key_in_it_is_stored_nowhere_and_not_sent(
    studio: Studio, upstream: Upstream, prompt: str
) -> None:
    live = studio.answers.ask_first(
        LOCAL_OWNER, f"Is {KEY} good?", ChatParameters(), system_prompt=prompt
    )
    assert live.saved.wait(60)
    conversation = studio.store.conversations.get(LOCAL_OWNER, live.conversation_id)
    path = studio.store.messages.path(LOCAL_OWNER, live.conversation_id)
    (sent,) = upstream.answers
    assert KEY not in f"{conversation}{path}{sent.body}"
    draft = studio.store.conversations.draft(
        LOCAL_OWNER, system_prompt=prompt, parameters=ChatParameters()
    )
    assert KEY not in f"{draft}"


@pytest.mark.parametrize("prompt", ["", "Be brief.", " "])
@pytest.mark.parametrize("thinking", [False, True])
@pytest.mark.parametrize(
    "files",
    [
        (),
        (ReadFile(FilePart("a.txt", "soot and glue")),),
        (ReadFile(PicturePart(name="a.png", sha256=PICTURE.sha256), PICTURE),),
    ],
    ids=["alone", "a text", "a picture"],
)
def test_what_is_sent_is_what_the_store_holds(
    studio: Studio, upstream: Upstream, prompt: str, thinking: bool, files: tuple[ReadFile, ...]
) -> None:
    parameters = ChatParameters(thinking=thinking)
    live = studio.answers.ask_first(
        LOCAL_OWNER, "What is it?", parameters, system_prompt=prompt, files=files
    )
    assert live.saved.wait(60)
    conversation = studio.store.conversations.get(LOCAL_OWNER, live.conversation_id)
    assert conversation is not None
    (sent,) = upstream.answers
    # The same question once more is asked by what is read from the store.
    answer = studio.store.messages.path(LOCAL_OWNER, conversation.id)[-1]
    again = studio.answers.regenerate(LOCAL_OWNER, conversation, answer, parameters)
    assert again.saved.wait(60)
    assert upstream.answers[-1].body == sent.body


def _empty(studio: Studio) -> None:
    studio.answers.ask_first(LOCAL_OWNER, " \n", ChatParameters())


def _too_long(studio: Studio) -> None:
    studio.answers.ask_first(LOCAL_OWNER, "x" * 400_001, ChatParameters())


def _unseen(studio: Studio) -> None:
    picture = ReadFile(PicturePart(name="a.png", sha256="0" * 64))
    blind = ChatParameters(model="deepseek-v4-pro")
    studio.answers.ask_first(LOCAL_OWNER, "What is it?", blind, files=[picture])


def _dear(studio: Studio) -> None:
    studio.budgets.set(BUDGET)
    studio.answers.ask_first(LOCAL_OWNER, "What is ink?", ChatParameters())


def _broken(studio: Studio) -> None:
    """Fail at the last statement of the transaction."""

    def fail(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "INSERT INTO ledger" in statement:
            raise OSError("the disk is full")

    events.listen(Engine, "before_cursor_execute", fail)
    try:
        studio.answers.ask_first(LOCAL_OWNER, "What is ink?", ChatParameters())
    finally:
        events.remove(Engine, "before_cursor_execute", fail)


@pytest.mark.parametrize(
    ("ask", "error"),
    [(_empty, InputError), (_too_long, InputError), (_unseen, InputError), (_dear, BudgetError),
     (_broken, (AppError, OSError))],
)  # fmt: skip
def test_what_is_not_asked_begins_nothing(
    studio: Studio, ask: Callable[[Studio], None], error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask(studio)
    assert studio.store.conversations.count(LOCAL_OWNER) == 0
    studio.budgets.drop(BUDGET)
    live = studio.answers.ask_first(LOCAL_OWNER, "What is soot?", ChatParameters())
    assert live.conversation_id


def test_a_name_that_a_person_took_away_stays_away(studio: Studio) -> None:
    conversation = studio.store.conversations.create(LOCAL_OWNER)
    studio.store.conversations.rename(LOCAL_OWNER, conversation.id, "", manual=True)
    live = studio.answers.ask(LOCAL_OWNER, conversation, "What is ink?", ChatParameters())
    assert live.saved.wait(60)
    named = studio.store.conversations.get(LOCAL_OWNER, conversation.id)
    assert named is not None
    assert (named.title, named.title_is_manual) == ("", True)
