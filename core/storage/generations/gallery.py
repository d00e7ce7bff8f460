"""The gallery: archived pictures, newest first, found by what was asked for."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from core.errors import InputError
from core.models.generations import Generation, GenerationStatus, Picture
from core.storage.db.database import Database
from core.storage.db.pagination import Page, bounded, decode_cursor, encode_cursor
from core.storage.db.schema import generations, picture_slots, pictures
from core.storage.generations.listing import request_conditions
from core.storage.generations.rows import ExpectedStatus, generation_from, picture_from

Order = Literal["newest", "oldest", "favourites"]
ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass(frozen=True, slots=True)
class GalleryPicture:
    """A picture with the generation it came from (whose own `pictures` are left out)."""

    picture: Picture
    generation: Generation


class Gallery:
    """The pictures of everyone, each seen by its owner only."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def list_pictures(
        self,
        owner: str,
        *,
        text: str = "",
        model: str | None = None,
        ratio: str | None = None,
        kind: str | None = None,
        statuses: Collection[GenerationStatus] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        favourite: bool | None = None,
        cursor: str | None = None,
        limit: int = 48,
    ) -> Page[GalleryPicture]:
        """Return this owner's pictures, the newest generation's first, each batch in its order."""
        limit = bounded(limit)
        query = (
            _joined()
            .where(*_shown(owner, since, until, favourite))
            .order_by(*_NEWEST)
            .limit(limit + 1)
        )
        if cursor is not None:
            query = query.where(*_after(*decode_cursor(cursor, datetime, str, int)))
        with self._database.read() as connection:
            query = query.where(
                *request_conditions(
                    connection, text=text, model=model, ratio=ratio, kind=kind, statuses=statuses
                )
            )
            rows = connection.execute(query).all()
        items = tuple(_item(row) for row in rows[:limit])
        if len(rows) <= limit:
            return Page(items)
        last = items[-1].picture
        return Page(items, encode_cursor((last.created_at, last.generation_id, last.index)))

    def page_of_pictures(
        self,
        owner: str,
        *,
        number: int,
        size: int,
        order: Order = "newest",
        text: str = "",
        model: str | None = None,
        ratio: str | None = None,
        kind: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        favourite: bool | None = None,
    ) -> tuple[GalleryPicture, ...]:
        """Return one numbered page of this owner's pictures, by offset; the first is 1.

        The page's place is found in the index alone, and only its own rows are read whole.
        """
        size = bounded(size)
        place = (
            select(pictures.c.id)
            .where(*_shown(owner, since, until, favourite))
            .order_by(*_ORDERS[order])
            .limit(size)
            .offset((max(1, number) - 1) * size)
        )
        with self._database.read() as connection:
            asked = request_conditions(
                connection, text=text, model=model, ratio=ratio, kind=kind, statuses=None
            )
            if asked:
                place = place.join(generations, generations.c.id == pictures.c.generation_id)
            # Asked for first: as a subquery, SQLite would sort all that were ever made.
            ids = connection.scalars(place.where(*asked)).all()
            rows = connection.execute(_joined().where(pictures.c.id.in_(ids))).all()
        found = {item.picture.id: item for item in map(_item, rows)}
        return tuple(found[picture_id] for picture_id in ids if picture_id in found)

    def count_pictures(
        self,
        owner: str,
        *,
        text: str = "",
        model: str | None = None,
        ratio: str | None = None,
        kind: str | None = None,
        statuses: Collection[GenerationStatus] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        favourite: bool | None = None,
    ) -> int:
        """Return how many pictures list_pictures would show in all."""
        shown = _shown(owner, since, until, favourite)
        query = select(func.count()).select_from(pictures)
        with self._database.read() as connection:
            asked = request_conditions(
                connection, text=text, model=model, ratio=ratio, kind=kind, statuses=statuses
            )
            if asked:
                query = query.join(generations, generations.c.id == pictures.c.generation_id)
            return connection.scalar(query.where(*shown, *asked)) or 0

    def get(self, owner: str, picture_id: str) -> GalleryPicture | None:
        """Return one picture, or None when it is not there, deleted, or not this owner's."""
        query = _joined().where(
            pictures.c.id == picture_id,
            pictures.c.owner == owner,
            pictures.c.deleted_at.is_(None),
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _item(row)

    def set_favourite(self, owner: str, picture_id: str, favourite: bool) -> None:
        """Mark a picture, or take the mark away."""
        with self._database.write() as connection:
            marked = connection.execute(
                update(pictures)
                .where(pictures.c.id == picture_id, pictures.c.owner == owner)
                .values(favourite=favourite)
            )
            if marked.rowcount == 0:
                raise InputError("picture_id", "error.picture_gone")

    def delete_pictures(self, owner: str, picture_ids: Sequence[str]) -> int:
        """Hide pictures; return how many."""
        return self._set_deleted(owner, picture_ids, pictures.c.deleted_at.is_(None), self._clock())

    def restore_pictures(self, owner: str, picture_ids: Sequence[str]) -> int:
        """Undo delete_pictures."""
        return self._set_deleted(owner, picture_ids, pictures.c.deleted_at.is_not(None), None)

    def deleted_pictures(self, before: datetime, *, limit: int = 100) -> tuple[Picture, ...]:
        """Return what anyone deleted before that moment, for its files to be removed."""
        query = (
            select(pictures)
            .where(pictures.c.deleted_at < before)
            .order_by(pictures.c.deleted_at)
            .limit(bounded(limit))
        )
        with self._database.read() as connection:
            return tuple(picture_from(row) for row in connection.execute(query).mappings())

    def forget_pictures(self, picture_ids: Sequence[str]) -> int:
        """Remove deleted pictures' rows once their files are gone; their slots remember it."""
        doomed = pictures.c.id.in_(picture_ids) & pictures.c.deleted_at.is_not(None)
        with self._database.write() as connection:
            slots = select(pictures.c.generation_id, pictures.c.index).where(doomed)
            connection.execute(
                update(picture_slots)
                .where(tuple_(picture_slots.c.generation_id, picture_slots.c.index).in_(slots))
                .values(status=ExpectedStatus.DELETED.value, updated_at=self._clock())
            )
            return connection.execute(delete(pictures).where(doomed)).rowcount

    def _set_deleted(
        self,
        owner: str,
        picture_ids: Sequence[str],
        condition: ColumnElement[bool],
        deleted_at: datetime | None,
    ) -> int:
        with self._database.write() as connection:
            return connection.execute(
                update(pictures)
                .where(pictures.c.id.in_(picture_ids), pictures.c.owner == owner, condition)
                .values(deleted_at=deleted_at)
            ).rowcount


_NEWEST = (pictures.c.created_at.desc(), pictures.c.generation_id.desc(), pictures.c.index)
_ORDERS: dict[Order, tuple[ColumnElement[Any], ...]] = {
    "newest": _NEWEST,
    "oldest": (pictures.c.created_at, pictures.c.generation_id, pictures.c.index),
    "favourites": (pictures.c.favourite.desc(), *_NEWEST),
}
_PICTURE = tuple(column.label(f"picture_{column.name}") for column in pictures.c)


def _joined() -> Select[Any]:
    return select(generations, *_PICTURE).join(
        generations, generations.c.id == pictures.c.generation_id
    )


def _shown(
    owner: str, since: datetime | None, until: datetime | None, favourite: bool | None
) -> list[ColumnElement[bool]]:
    conditions = [pictures.c.owner == owner, pictures.c.deleted_at.is_(None)]
    if since is not None:
        conditions.append(pictures.c.created_at >= since)
    if until is not None:
        conditions.append(pictures.c.created_at < until)
    if favourite is not None:
        conditions.append(pictures.c.favourite if favourite else ~pictures.c.favourite)
    return conditions


def _after(created_at: datetime, generation_id: str, index: int) -> list[ColumnElement[bool]]:
    """Return the condition for what stands behind a picture; the first one makes it a seek."""
    batch = tuple_(pictures.c.created_at, pictures.c.generation_id)
    here = tuple_(
        literal(created_at, pictures.c.created_at.type),
        literal(generation_id, pictures.c.generation_id.type),
    )
    return [
        pictures.c.created_at <= created_at,
        or_(batch < here, and_(batch == here, pictures.c.index > index)),
    ]


def _item(row: Row[Any]) -> GalleryPicture:
    mapping = row._mapping
    picture = {column.name: mapping[f"picture_{column.name}"] for column in pictures.c}
    return GalleryPicture(picture_from(picture), generation_from(mapping))
