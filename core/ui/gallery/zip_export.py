"""Many pictures as one zip: the originals byte for byte, and a manifest that tells of each.

Written to disk as it grows, one picture in memory at a time.
"""

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import tzinfo
from typing import Any

from core.archive.archive import Archive
from core.errors import StoreError
from core.models.generations import ImageRequest
from core.models.lineage import Origin
from core.storage.generations.gallery import GalleryPicture
from core.ui import clock
from core.ui.formats import file_words

# Streamlit keeps a download in memory until the session has moved on.
ZIP_LIMIT_BYTES = 256 << 20
_MEMORY_BYTES = 8 << 20


def zip_of(
    archive: Archive,
    items: Iterable[GalleryPicture],
    reader: tzinfo | None = None,
    origin_of: Callable[[str], Origin | None] = lambda _generation_id: None,
) -> bytes:
    """Return a zip of these pictures with manifest.json and manifest.csv; `reader`: their zone.

    `origin_of` tells from which message a generation was drawn.
    """
    with tempfile.SpooledTemporaryFile(_MEMORY_BYTES) as file:
        # Pictures are compressed already.
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as target:
            entries = list(_written(target, archive, items, reader, origin_of))
            manifest = {"format": "inkling-pictures", "version": 1, "pictures": entries}
            target.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1))
            target.writestr("manifest.csv", _csv(entries))
        file.seek(0)
        return file.read()


def picture_file_name(item: GalleryPicture, reader: tzinfo | None) -> str:
    """Return a telling name of its own for a picture: when, what, which."""
    stamp = clock.stamp(item.generation.created_at, reader)
    words = file_words(item.generation.request.prompt)
    suffix = item.picture.name.rpartition(".")[2]
    number = item.picture.index + 1
    return f"{stamp}-{words}-{number}-{item.picture.id[:6]}.{suffix}"


def _written(
    target: zipfile.ZipFile,
    archive: Archive,
    items: Iterable[GalleryPicture],
    reader: tzinfo | None,
    origin_of: Callable[[str], Origin | None],
) -> Iterator[dict[str, Any]]:
    for item in items:
        origin = origin_of(item.generation.id)
        name = picture_file_name(item, reader)
        try:
            content = archive.original_bytes(item.picture.name)
        except StoreError:
            yield _entry(item, origin, file=None)  # the others are worth having all the same
            continue
        # A zip knows no zones: its times are those of whoever made it.
        created_at = item.generation.created_at.astimezone(reader).timetuple()[:6]
        target.writestr(zipfile.ZipInfo(name, max(created_at, (1980, 1, 1, 0, 0, 0))), content)
        yield _entry(item, origin, file=name)


def _entry(item: GalleryPicture, origin: Origin | None, *, file: str | None) -> dict[str, Any]:
    picture, generation, request = item.picture, item.generation, item.generation.request
    negative_prompt = request.negative_prompt if isinstance(request, ImageRequest) else ""
    return {
        "file": file,
        "prompt": request.prompt,
        "negative_prompt": negative_prompt,
        "model_name": request.model_name,
        "aspect_ratio": request.aspect_ratio,
        "resolution": request.resolution,
        "n": request.n,
        "number": picture.index + 1,
        "has_reference": request.has_image,
        "width": picture.width,
        "height": picture.height,
        "media_type": picture.media_type,
        "size_bytes": picture.size_bytes,
        "sha256": picture.sha256,
        "favourite": picture.favourite,
        "created_at": generation.created_at.isoformat(),
        "provider": generation.provider,
        "origin": generation.origin,
        "task_id": generation.task_id,
        "external_task_id": generation.external_task_id,
        "picture_id": picture.id,
        "generation_id": generation.id,
        "message_id": origin.message_id if origin else None,
        "conversation_id": origin.conversation_id if origin else None,
    }


def _csv(entries: list[dict[str, Any]]) -> bytes:
    target = io.StringIO()
    if entries:
        writer = csv.DictWriter(target, fieldnames=list(entries[0]))
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in entries)
    # Spreadsheets take UTF-8 for what it is only behind its mark.
    return target.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    return (
        f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value
    )
