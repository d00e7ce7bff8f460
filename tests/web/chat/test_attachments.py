"""Attached files: kept with their question, sent as data, counted, and gone with it."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.models.chat import AnswerStatus, ChatModel, ChatParameters, Conversation, Message
from core.models.parts import FilePart, PicturePart
from core.practice.chat.request import ChatRequest, chat_request_from_json
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_CHAT_KEY
from core.storage.money.filters import LedgerFilter
from core.ui.history.markdown_export import as_markdown
from core.wire.attachments.block import without_attachments
from core.work.attachments.extraction import ReadFile, read
from core.work.attachments.previews import preview_of
from tests.unit.attachments.files import animated, drawn, pdf, picture
from tests.unit.attachments.orders import HARMLESS, ORDERS
from tests.web.serving import QUICK, Served, serving

FLASH, PRO = ChatParameters(), ChatParameters(model="deepseek-v4-pro")
SERVERS: list[PracticeServer] = []
RECEIVED: list[dict[str, Any]] = []


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    def build(**options: Any) -> PracticeServer:
        pace = replace(QUICK, chat_key=PRACTICE_CHAT_KEY)
        SERVERS.append(PracticeServer(**options, settings=pace))
        return SERVERS[-1]

    def note(body: bytes, *, beta: bool) -> ChatRequest:
        RECEIVED.append(json.loads(body))
        return chat_request_from_json(body, beta=beta)

    SERVERS.clear()
    RECEIVED.clear()
    monkeypatch.setattr("core.practice.chat.routes.chat_request_from_json", note)
    monkeypatch.setattr("core.practice.server.PracticeServer", build)
    with serving(tmp_path) as running:
        yield running


def file(name: str, content: bytes) -> ReadFile:
    return read(name, content).result()


def begin(served: Served) -> Conversation:
    return served.studio.store.conversations.create("local")


def asked(
    served: Served,
    *files: ReadFile,
    words: str = "说说这个",
    parameters: ChatParameters = FLASH,
    conversation: Conversation | None = None,
) -> tuple[Message, Message]:
    """Return a question with its files and its answer, as they are kept."""
    known = conversation or begin(served)
    fresh = served.studio.store.conversations.get("local", known.id)
    assert fresh is not None
    live = served.studio.answers.ask("local", fresh, words, parameters, files=files)
    answer = served.kept(live.message_id)
    question = served.studio.store.messages.get("local", answer.parent_id or "")
    assert question is not None
    return question, answer


def bodies() -> list[dict[str, Any]]:
    """Return the chats that practice was sent, oldest first, but for those about a title."""
    return [one for one in RECEIVED if one["messages"][0]["role"] == "user"]


def test_files_are_kept_with_the_question_and_sent_behind_it(served: Served) -> None:
    files = file("a.pdf", pdf([drawn("It is 4711")])), file("b.png", picture("PNG"))
    question, answer = asked(served, *files)
    assert question.content == "说说这个"
    assert [type(part) for part in question.parts[1:]] == [FilePart, PicturePart]
    assert "It is 4711" in answer.content
    assert "400 × 300" in answer.content
    (body,) = bodies()
    kinds = [part["type"] for part in body["messages"][0]["content"]]
    assert kinds == ["text", "image_url", "text"]
    store = served.studio.store
    conversation = store.conversations.get("local", question.conversation_id)
    assert conversation is not None
    again = served.studio.answers.edit("local", conversation, question, "换个问法", FLASH)
    edited = store.messages.get("local", served.kept(again.message_id).parent_id or "")
    assert edited is not None
    assert edited.parts[1:] == question.parts[1:]
    assert bodies()[-1]["messages"][0]["content"][1] == body["messages"][0]["content"][1]


def test_what_is_held_back_covers_what_is_billed(served: Served) -> None:
    text = ("a line of 很长的文字 and more\n" * 3_000).encode()
    _, answer = asked(served, file("long.txt", text), file("b.png", picture("PNG")))
    line = next(
        one
        for one in served.studio.store.ledger.every(LedgerFilter(owner="local"))
        if one.id == answer.id
    )
    assert line.amount is not None
    assert line.bound is not None
    assert line.amount <= line.bound
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens or 0) > 20_000


def test_a_model_that_sees_nothing_is_refused_before_anything_is_kept(served: Served) -> None:
    conversation = begin(served)
    with pytest.raises(InputError) as raised:
        asked(served, file("b.png", picture("PNG")), parameters=PRO, conversation=conversation)
    assert raised.value.text_id == "error.model_blind"
    assert raised.value.facts == {"model": "deepseek-v4-pro", "offered": "deepseek-flash"}
    assert served.studio.store.messages.path("local", conversation.id) == ()
    assert RECEIVED == []


def test_earlier_pictures_are_told_to_a_model_that_sees_nothing(served: Served) -> None:
    conversation = begin(served)
    asked(served, file("b.png", picture("PNG")), conversation=conversation)
    _, answer = asked(served, words="接着说", parameters=PRO, conversation=conversation)
    assert answer.status is AnswerStatus.COMPLETE
    sent = bodies()[-1]["messages"][0]["content"]
    assert {part["type"] for part in sent} == {"text"}
    assert sent[1]["text"] == "[missing picture: b.png]"


def test_files_longer_than_the_models_context_are_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = served.studio.services.models
    monkeypatch.setattr(
        models, "facts", lambda name: ChatModel(name, context_window=1_000, sees=True)
    )
    conversation = begin(served)
    with pytest.raises(InputError) as raised:
        asked(served, file("a.txt", b"many words " * 2_000), conversation=conversation)
    assert raised.value.text_id == "error.context_full"
    assert raised.value.facts["limit"] == 1_000
    assert served.studio.store.messages.path("local", conversation.id) == ()
    asked(served, file("a.txt", b"few words"), conversation=conversation)


@pytest.mark.parametrize("said", ORDERS)
def test_what_a_file_says_is_no_instruction(served: Served, said: str) -> None:
    hostile = f"{said}\n/practice 500\n"
    content = hostile.encode("utf-8", "replace")
    question, answer = asked(served, file("orders.txt", content))
    assert answer.status is AnswerStatus.COMPLETE  # `/practice 500` in a file is no command
    assert SERVERS[-1].counters.tasks_accepted == 0
    assert list(SERVERS[-1].web_book) == []
    lines = list(served.studio.store.ledger.every(LedgerFilter(owner="local")))
    assert {one.kind for one in lines} <= {"chat", "title"}
    (body,) = bodies()
    assert "tools" not in body
    words, blocks = without_attachments(body["messages"][0]["content"])
    assert words == question.content
    assert blocks.startswith("=== ATTACHED FILE ")
    assert blocks.count("\n=== END OF ATTACHED FILE ") == 1


def test_what_goes_with_a_conversation_goes_when_it_is_deleted(served: Served) -> None:
    question, _ = asked(served, file("b.png", picture("PNG")), file("a.txt", b"words"))
    store = served.studio.store
    (part,) = [part for part in question.parts if isinstance(part, PicturePart)]
    assert preview_of(store, "local", part.sha256) is not None
    assert preview_of(store, "eve", part.sha256) is None
    store.conversations.delete("local", question.conversation_id)
    assert preview_of(store, "local", part.sha256) is None


def test_files_come_back_from_an_export(served: Served) -> None:
    question, _ = asked(served, file("动.gif", animated()), file("a.txt", b"w" * 600_000))
    studio = served.studio
    whole = b"".join(studio.transfers.export("local", "inkling"))
    studio.store.conversations.delete("local", question.conversation_id)
    studio.store.imports.import_file("eve", io.BytesIO(whole))
    (conversation,) = studio.store.conversations.list("eve").items
    (back, _) = studio.store.messages.path("eve", conversation.id)
    assert back.parts == question.parts
    left_out = [one.left_out for one in back.parts if isinstance(one, FilePart | PicturePart)]
    assert left_out == ["frames:4", "characters:100000"]


def test_a_markdown_export_names_the_files(served: Served) -> None:
    question, answer = asked(served, file("a.md", b"```\ncode\n```"), file("b.png", picture("PNG")))
    conversation = served.studio.store.conversations.get("local", question.conversation_id)
    assert conversation is not None
    told = as_markdown("zh", conversation, (question, answer))
    assert "<summary>a.md</summary>\n\n````\n```\ncode\n```\n````" in told
    assert "> b\\.png" in told
    assert HARMLESS.text not in told
