"""Content-addressed blobs: the bytes of what people attach, once however often it is attached."""

from datetime import datetime

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from core.storage.db.schema import blobs


def keep_blob(
    connection: Connection, sha256: str, content: bytes, media_type: str, *, now: datetime
) -> None:
    """Keep bytes under their hash, unless they are there."""
    known = select(blobs.c.sha256).where(blobs.c.sha256 == sha256)
    if connection.execute(known).one_or_none() is not None:
        return
    values = {"media_type": media_type, "content": content, "created_at": now}
    try:
        with connection.begin_nested():
            connection.execute(insert(blobs).values(sha256=sha256, **values))
    except IntegrityError:
        return  # another process kept the same bytes meanwhile
