"""Thumbnails of attached pictures, for a page. Large ones, which only imports and programs bring,
are decoded in a process of their own, as they were when they came in."""

import io
from collections import OrderedDict
from contextlib import suppress
from threading import Lock

from PIL import Image

from core.archive.uploads.encoding import encode_preview
from core.errors import AppError
from core.models.parts import Blob
from core.storage.store import Store
from core.work.attachments.extraction import read

SIDE = 480
_PIXELS_MOST = 5_000_000
_KEPT = 64  # of some 30 KB each


_lock = Lock()
_made: OrderedDict[str, bytes | None] = OrderedDict()


def preview_of(store: Store, owner: str, sha256: str) -> bytes | None:
    """Return a small form of a picture of this owner's; None where it is gone, or is none."""
    blob = store.messages.blob(owner, sha256)
    if blob is None:
        return None
    with _lock:
        if sha256 in _made:
            _made.move_to_end(sha256)
            return _made[sha256]
    made = _preview(blob)
    with _lock:  # of the picture itself nothing is kept here
        _made[sha256] = made
        while len(_made) > _KEPT:
            _made.popitem(last=False)
    return made


def _preview(blob: Blob) -> bytes | None:
    content = blob.content
    with suppress(AppError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        if not _is_small(content):
            made = read("picture", content).result().blob
            content = made.content if made is not None else b""
        return encode_preview(content, SIDE)
    return None


def _is_small(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            return image.width * image.height <= _PIXELS_MOST
    except (OSError, Image.DecompressionBombError):
        return False
