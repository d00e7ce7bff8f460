"""Tree building: another chat's conversation becomes ours, parents first, under ids of our own.

Our ids are derived from whose they are and what the source calls them: the same file brings the
same conversations, and a later export of the same chat adds what it has more.
"""

from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

from core.models.chat import AnswerStatus, Conversation, Message
from core.storage.transfer.foreign.model import (
    EntryRefusedError,
    ForeignConversation,
    ForeignMessage,
)
from core.storage.transfer.format import TravellingConversation


def assembled(foreign: ForeignConversation, owner: str, *, now: datetime) -> TravellingConversation:
    """Return it as `owner`'s conversation; EntryRefusedError when nothing is in it."""
    source = foreign.id or _fingerprint(foreign)
    conversation_id = uuid5(NAMESPACE_OID, f"{owner}/{foreign.kind}/{source}").hex
    ordered = _parents_first(foreign)
    if not ordered:
        raise EntryRefusedError("without messages", foreign.title)
    times = [one.at for one in ordered if one.at is not None]
    created_at = foreign.created_at or min(times, default=foreign.updated_at or now)
    messages: dict[str, Message] = {}
    for one in ordered:
        before = messages.get(one.parent or "")
        messages[one.id] = Message(
            id=_message_id(conversation_id, one.id),
            conversation_id="",  # known to whoever writes it down
            parent_id=before.id if before else None,
            role=one.role,
            content=one.content,
            created_at=one.at or (before.created_at if before else created_at),
            reasoning_content=one.reasoning,
            status=one.status if one.role == "assistant" else AnswerStatus.COMPLETE,
            model=one.model or None,
            reasoning_s=one.reasoning_s,
        )
    head = messages.get(foreign.head or "") or _newest_leaf(list(messages.values()))
    return TravellingConversation(
        Conversation(
            id=conversation_id,
            owner=owner,
            title=foreign.title,
            created_at=created_at,
            updated_at=foreign.updated_at or max(times, default=created_at),
            head_id=head.id,
            system_prompt=foreign.system_prompt,
            title_is_manual=bool(foreign.title),
            origin="import",
        ),
        tuple(messages.values()),
    )


def _parents_first(foreign: ForeignConversation) -> list[ForeignMessage]:
    """Return what can be reached, each behind its parent; a parent that is missing is none."""
    known: dict[str, ForeignMessage] = {}
    for one in foreign.messages:
        if one.id in known:
            raise EntryRefusedError("there twice", foreign.title)
        known[one.id] = one
    children: dict[str | None, list[str]] = {}
    for one in foreign.messages:
        if one.parent not in known:
            one.parent = None
        children.setdefault(one.parent, []).append(one.id)
    ordered = []
    waiting = list(reversed(children.get(None, [])))
    while waiting:
        ordered.append(known[waiting.pop()])
        waiting += reversed(children.get(ordered[-1].id, []))
    if len(ordered) < len(known):
        raise EntryRefusedError("its messages follow each other in a circle", foreign.title)
    return ordered


def _newest_leaf(messages: list[Message]) -> Message:
    parents = {one.parent_id for one in messages}
    leaves = [(one.created_at, at) for at, one in enumerate(messages) if one.id not in parents]
    return messages[max(leaves)[1]]


def _message_id(conversation_id: str, source: str) -> str:
    return uuid5(NAMESPACE_OID, f"{conversation_id}/{source}").hex


def _fingerprint(foreign: ForeignConversation) -> str:
    """Return what stands for the id of a conversation that has none: how it began."""
    first = foreign.messages[0].content if foreign.messages else ""
    return f"{foreign.created_at}/{foreign.title}/{first}"
