"""Lineage, looked at from either end; each end's owner sees it only."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, exists, select

from core.models.generations import Generation
from core.models.lineage import DrawnFrom, Origin, PictureLink, Whereabouts
from core.storage.db.database import Database
from core.storage.db.schema import conversations, generations, messages, picture_links
from core.storage.generations.rows import with_pictures
from core.storage.lineage.links import chunks, links_of


class Lineage:
    """Which pictures were drawn from which messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def drawn_from(
        self, owner: str, message_ids: Collection[str]
    ) -> dict[str, tuple[DrawnFrom, ...]]:
        """Return what was drawn from these messages, the oldest first; nothing of anyone else's."""
        if not message_ids:
            return {}
        with self._database.read() as connection:
            links = links_of(connection, owner, message_ids)
            ids = sorted({link.generation_id for some in links.values() for link in some})
            known: set[str] = set()
            here: dict[str, Generation] = {}
            for some in chunks(ids):
                query = select(generations).where(
                    generations.c.id.in_(some), generations.c.owner == owner
                )
                rows = connection.execute(query).mappings().all()
                known |= {row["id"] for row in rows}
                shown = [row for row in rows if row["deleted_at"] is None]
                here |= {one.id: one for one in with_pictures(connection, shown)}
        deleted = known - here.keys()
        return {
            message_id: tuple(_drawn(link, here.get(link.generation_id), deleted) for link in some)
            for message_id, some in links.items()
        }

    def origins(self, owner: str, generation_ids: Sequence[str]) -> dict[str, Origin]:
        """Return the messages that generations were drawn from; of several, one that is there."""
        query = (
            select(
                picture_links.c.generation_id,
                picture_links.c.message_id,
                conversations.c.id,
                conversations.c.title,
            )
            .outerjoin(messages, messages.c.id == picture_links.c.message_id)
            .outerjoin(
                conversations,
                (conversations.c.id == messages.c.conversation_id)
                & (conversations.c.owner == owner)
                & conversations.c.deleted_at.is_(None),
            )
            .where(picture_links.c.owner == owner)
            .order_by(picture_links.c.created_at, messages.c.seq)
        )
        found: dict[str, Origin] = {}
        with self._database.read() as connection:
            rows = [
                row
                for some in chunks(generation_ids)
                for row in connection.execute(
                    query.where(picture_links.c.generation_id.in_(some))
                ).all()
            ]
        for generation_id, message_id, conversation_id, title in rows:
            known = found.get(generation_id)
            if known is None or (known.conversation_id is None and conversation_id is not None):
                found[generation_id] = Origin(message_id, conversation_id, title or "")
        return found

    def purge(self) -> int:
        """Remove links neither end of which is there any more; return how many."""
        said = exists().where(messages.c.id == picture_links.c.message_id)
        drawn = exists().where(generations.c.id == picture_links.c.generation_id)
        with self._database.write() as connection:
            return connection.execute(delete(picture_links).where(~said, ~drawn)).rowcount


def _drawn(link: PictureLink, generation: Generation | None, deleted: set[str]) -> DrawnFrom:
    whereabouts: Whereabouts = "here" if generation is not None else "elsewhere"
    if generation is None and (link.generation_id in deleted or link.request is None):
        whereabouts = "deleted"
    return DrawnFrom(link, whereabouts, generation)
