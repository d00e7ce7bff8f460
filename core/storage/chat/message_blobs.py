"""Attachments: bytes that the parts of messages point to, each seen by the messages' owner only."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, Select, insert, select

from core.models.chat import Message
from core.models.parts import Blob, Part, blob_hashes
from core.storage.db.blobs import keep_blob
from core.storage.db.schema import blobs, conversations, message_blobs, messages

Said = Mapping[str, tuple[Part, ...]]  # by message


def attach(
    connection: Connection, owner: str, said: Said, given: Iterable[Blob], *, now: datetime
) -> None:
    """Keep what is given, and tie messages to the bytes that their parts point to.

    A hash alone ties nothing, unless this owner has its bytes already: else whoever learned the
    hash of another's picture could look at it.
    """
    wanted = frozenset[str]().union(*map(blob_hashes, said.values()))
    if not wanted:
        return
    new = {blob.sha256: blob for blob in given}
    for sha256 in sorted(wanted & new.keys()):  # in one order: two processes cannot deadlock
        keep_blob(connection, sha256, new[sha256].content, new[sha256].media_type, now=now)
    known = message_blobs.c.sha256.in_(wanted - new.keys())
    tied = new.keys() | set(connection.scalars(_held(owner).where(known)))
    links = [
        {"message_id": message_id, "sha256": sha256}
        for message_id, parts in said.items()
        for sha256 in sorted(blob_hashes(parts) & tied)
    ]
    if links:
        connection.execute(insert(message_blobs), links)


def find_blob(connection: Connection, owner: str, sha256: str) -> Blob | None:
    """Return the bytes that a part of this owner's messages points to."""
    held = _held(owner).where(message_blobs.c.sha256 == blobs.c.sha256).exists()
    query = select(blobs.c.content, blobs.c.media_type).where(blobs.c.sha256 == sha256, held)
    row = connection.execute(query).one_or_none()
    return None if row is None else Blob(bytes(row.content), row.media_type)


def blobs_of(connection: Connection, message: Message) -> tuple[Blob, ...]:
    """Return the bytes that a message is tied to."""
    if not blob_hashes(message.parts):
        return ()
    query = (
        select(blobs.c.content, blobs.c.media_type)
        .join(message_blobs, message_blobs.c.sha256 == blobs.c.sha256)
        .where(message_blobs.c.message_id == message.id)
        .order_by(blobs.c.sha256)
    )
    return tuple(Blob(bytes(row.content), row.media_type) for row in connection.execute(query))


def _held(owner: str) -> Select[tuple[str]]:
    """Return the query of the hashes that this owner's messages are tied to."""
    return (
        select(message_blobs.c.sha256)
        .join(messages, messages.c.id == message_blobs.c.message_id)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(conversations.c.owner == owner, conversations.c.deleted_at.is_(None))
    )
