"""A studio's rows and pictures to be copied, and how two of them are compared."""

import random
from dataclasses import asdict
from io import BytesIO

from PIL import Image

from core.archive.archive import Archive
from core.models.generations import GenerationStatus, ImageRequest
from core.storage.copying.plain_tables import PLAIN_TABLES
from core.storage.store import Store

S = GenerationStatus
OWN = frozenset({"store.checked"})


def png(number: int) -> bytes:
    """Return a small picture of its own bytes."""
    shades = random.Random(number).randbytes(12 * 12 * 3)
    made = BytesIO()
    Image.frombytes("RGB", (12, 12), shades).save(made, "PNG")
    return made.getvalue()


def paint(store: Store, archive: Archive, owner: str, number: int) -> str:
    """Ask for a picture and archive it; return the name of its file."""
    made = store.intents.create(owner, ImageRequest(f"{number}"), provider="practice")
    part = archive.new_part()
    part.write_bytes(png(number))
    file = archive.adopt(part, created_at=made.created_at, generation_id=made.id, index=0)
    for status, task in ((S.SUBMITTED, made.id), (S.SUCCEEDED, None)):
        store.generations.move(made.id, to=status, expect=set(S), task_id=task)
    store.expected_pictures.add(made.id, 0, **asdict(file))
    store.generations.move(made.id, to=S.ARCHIVED, expect=set(S))
    return file.name


def rows_of(store: Store) -> dict[str, list[dict[str, object]]]:
    """Return all rows as they stand in the database."""
    with store.copies._database.snapshot() as connection:
        found = {}
        for table in PLAIN_TABLES:
            rows = [dict(row) for row in connection.execute(table.select()).mappings()]
            rows = [row for row in rows if row.get("key") not in OWN]
            found[table.name] = sorted(
                rows, key=lambda row: str([row[c.name] for c in table.primary_key])
            )
    return found


def files_of(archive: Archive) -> dict[str, bytes]:
    """Return all originals."""
    return {name: archive.original_bytes(name) for name in archive.names()}
