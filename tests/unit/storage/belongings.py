"""One of everything that a person can own in the store, every text of it signed by its owner."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from core.models.chat import AnswerStatus, ChatParameters, Conversation, Message, Turn, Usage
from core.models.generations import Generation, GenerationStatus, ImageRequest, ReferenceImage
from core.models.money.ledger import LedgerLine, LineState, Reservation
from core.models.parts import Blob, PicturePart, TextPart
from core.storage.chat.running_answers import AnswerDraft
from core.storage.store import Store

S = GenerationStatus
PARAMETERS = ChatParameters()
WORD = "pine"  # in every text of everyone
REFERENCE = ReferenceImage(b"the same reference", "image/png")


def references_of(owner: str) -> list[ReferenceImage]:
    """Return the reference pictures of a task: one that others have too, and one of their own."""
    return [REFERENCE, ReferenceImage(f"only of {owner}".encode(), "image/png")]


EVERYONES_REQUEST = ImageRequest(WORD, model_name="model")
UNREADABLE = "error.picture_unreadable"


@dataclass(frozen=True, slots=True)
class Belongings:
    """The ids of what one owner has."""

    conversation: str  # with a question and an answer, which has ended
    question: str
    answer: str
    busy_conversation: str
    running_answer: str
    attached: Blob  # to the questions
    deleted_conversation: str
    archived: Generation  # from the answer, with two pictures, the second of them deleted
    picture: str
    deleted_picture: str
    waiting: Generation
    unread: Generation  # failed, since its files could not be read
    deleted_generation: str


def begin(
    store: Store,
    owner: str,
    conversation_id: str,
    parent_id: str | None = None,
    *,
    begins: Conversation | None = None,
) -> tuple[Message | None, Message]:
    """Ask something in a conversation, with a picture."""
    blob = _attachment(owner)
    picture = PicturePart(sha256=blob.sha256)
    return store.messages.begin_answer(
        owner,
        conversation_id,
        question=Turn("user", (TextPart(f"{WORD}? asks {owner}"), picture)),
        parent_id=parent_id,
        parameters=PARAMETERS,
        model="deepseek-flash",
        practice=True,
        process_id="p1",
        lease_s=3600,
        attached=[blob],
        reservation=Reservation(_line(owner)),
        begins=begins,
    )


def _line(owner: str) -> LedgerLine:
    return LedgerLine(
        id="",
        at=datetime.now(UTC),
        kind="chat",
        state=LineState.RESERVED,
        provider="deepseek",
        model="deepseek-flash",
        owner=owner,
        caller=f"token:{owner}",
        origin="page",
        currency="CNY",
        amount=Decimal("0.25"),
        bound=Decimal("0.25"),
    )


def _attachment(owner: str) -> Blob:
    return Blob(f"seen by {owner}".encode(), "image/png")


def endow(store: Store, owner: str, number: int) -> Belongings:
    """Give an owner one of everything, once more."""
    conversation, question, answer = _conversation(store, owner)
    busy, _, running = _conversation(store, owner, ends=False)
    deleted, *_ = _conversation(store, owner)
    store.conversations.delete(owner, deleted)
    archived = _painted(store, owner, task_id=f"T-{owner}-{number}", message_id=answer)
    unread = _intent(store, owner)
    for status, text_id in ((S.SUBMITTED, None), (S.SUCCEEDED, None), (S.FAILED, UNREADABLE)):
        store.generations.move(unread.id, to=status, expect=set(S), error_text_id=text_id)
    hidden = _intent(store, owner)
    store.generations.move(hidden.id, to=S.REFUSED, expect=set(S))
    store.generation_lists.delete(owner, hidden.id)
    first, second = (picture.id for picture in archived.pictures)
    store.gallery.delete_pictures(owner, [second])
    return Belongings(
        conversation=conversation,
        question=question,
        answer=answer,
        busy_conversation=busy,
        running_answer=running,
        attached=_attachment(owner),
        deleted_conversation=deleted,
        archived=archived,
        picture=first,
        deleted_picture=second,
        waiting=store.intents.create(
            owner,
            EVERYONES_REQUEST,
            provider="kling",
            idempotency_key=f"key {number}",
            references=references_of(owner),
        ),
        unread=unread,
        deleted_generation=hidden.id,
    )


def _conversation(store: Store, owner: str, *, ends: bool = True) -> tuple[str, str, str]:
    made = store.conversations.create(
        owner, title=f"{WORD}, titled by {owner}", system_prompt=f"Be {owner}'s."
    )
    question, answer = begin(store, owner, made.id)
    assert question is not None
    text = f"{WORD}! {owner} is told"
    store.running_answers.save_running(
        [AnswerDraft(answer.id, text, f"{WORD}: {owner}")], lease_s=3600
    )
    if ends:
        ended = store.messages.get(owner, answer.id)
        assert ended is not None
        store.running_answers.save_final([_complete(ended)])
    return made.id, question.id, answer.id


def _complete(answer: Message) -> Message:
    return replace(answer, status=AnswerStatus.COMPLETE, usage=Usage(total_tokens=7))


def _intent(store: Store, owner: str, message_id: str | None = None) -> Generation:
    return store.intents.create(
        owner,
        ImageRequest(f"{WORD}, wished by {owner}", model_name=f"model-of-{owner}", n=2),
        provider="kling",
        references=[REFERENCE],
        message_id=message_id,
    )


def _painted(store: Store, owner: str, task_id: str, message_id: str) -> Generation:
    made = _intent(store, owner, message_id)
    store.generations.move(made.id, to=S.SUBMITTED, expect=set(S), task_id=task_id)
    store.generations.move(made.id, to=S.SUCCEEDED, expect=set(S))
    for index in range(2):
        store.expected_pictures.add(
            made.id,
            index,
            name=f"{made.id}-{index}.png",
            media_type="image/png",
            width=4,
            height=3,
            size_bytes=99,
            sha256="f" * 64,
        )
    store.generations.move(made.id, to=S.ARCHIVED, expect=set(S))
    archived = store.generations.get(owner, made.id)
    assert archived is not None
    return archived
