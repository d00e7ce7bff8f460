"""Rows of the lineage, within the transaction of whoever writes one of its ends."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, insert, select, tuple_, update

from core.errors import InputError
from core.models.generations import GenerationRequest, ImageRequest
from core.models.kinds import request_from_json
from core.models.lineage import PictureLink
from core.storage.chat.message_tree import conversation_of
from core.storage.db.schema import generations, picture_links

# What of a request is told of where the generation is not.
_TOLD = ("prompt", "negative_prompt", "model_name", "aspect_ratio", "resolution", "n")
_ID_CHUNK = 500


def link_from(row: RowMapping) -> PictureLink:
    """Return the value of a row."""
    request = row["request"]
    told = None if request is None else request_from_json(ImageRequest.kind, request)
    return PictureLink(
        generation_id=row["generation_id"],
        message_id=row["message_id"],
        created_at=row["created_at"],
        request=told if isinstance(told, ImageRequest) else None,
    )


def told_request(request: GenerationRequest) -> dict[str, Any] | None:
    """Return what a link keeps of a request."""
    if not isinstance(request, ImageRequest):
        return None
    return {name: value for name, value in asdict(request).items() if name in _TOLD}


def tie(
    connection: Connection,
    owner: str,
    message_id: str,
    generation_id: str,
    request: GenerationRequest,
    *,
    now: datetime,
) -> str:
    """Note from which message a generation is drawn; return the id of its conversation.

    InputError where the owner has no such message.
    """
    conversation_id = conversation_of(connection, owner, message_id)
    if conversation_id is None:
        raise InputError("message_id", "error.message_gone")
    values = {
        "generation_id": generation_id,
        "message_id": message_id,
        "owner": owner,
        "request": told_request(request),
        "created_at": now,
    }
    connection.execute(insert(picture_links).values(**values))
    return conversation_id


def chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    """Return ids in as many lots as a query of each may name."""
    wanted = list(ids)
    for at in range(0, len(wanted), _ID_CHUNK):
        yield wanted[at : at + _ID_CHUNK]


def links_of(
    connection: Connection, owner: str, message_ids: Iterable[str]
) -> dict[str, tuple[PictureLink, ...]]:
    """Return an owner's links by their messages, the oldest first."""
    found: dict[str, list[PictureLink]] = {}
    for some in chunks(message_ids):
        query = (
            select(picture_links)
            .where(picture_links.c.message_id.in_(some), picture_links.c.owner == owner)
            .order_by(picture_links.c.created_at, picture_links.c.generation_id)
        )
        for row in connection.execute(query).mappings():
            found.setdefault(row["message_id"], []).append(link_from(row))
    return {message_id: tuple(links) for message_id, links in found.items()}


def bring_in(
    connection: Connection, owner: str, given: Mapping[str, Iterable[PictureLink]]
) -> None:
    """Keep links that came with messages, by the ids that these have here."""
    for message_id, links in given.items():
        known = select(picture_links.c.generation_id).where(
            picture_links.c.message_id == message_id
        )
        there = set(connection.scalars(known))
        rows = {
            link.generation_id: {
                "generation_id": link.generation_id,
                "message_id": message_id,
                "owner": owner,
                "request": None if link.request is None else told_request(link.request),
                "created_at": link.created_at,
            }
            for link in links
            if link.generation_id not in there
        }
        if rows:
            connection.execute(insert(picture_links), list(rows.values()))


def copy_links(connection: Connection, ids: Mapping[str, str]) -> None:
    """Tie the copies of messages to what their originals are tied to."""
    for some in chunks(ids):
        query = select(picture_links).where(picture_links.c.message_id.in_(some))
        rows = [
            dict(row) | {"message_id": ids[row["message_id"]]}
            for row in connection.execute(query).mappings()
        ]
        if rows:
            connection.execute(insert(picture_links), rows)


def forget_requests(connection: Connection, doomed: ColumnElement[bool]) -> None:
    """Forget what generations asked for that are removed for good, in their owners' links.

    Links of others have only what a file told them, and keep it.
    """
    whose = select(generations.c.id, generations.c.owner).where(doomed)
    gone = tuple_(picture_links.c.generation_id, picture_links.c.owner).in_(whose)
    connection.execute(update(picture_links).where(gone).values(request=None))
