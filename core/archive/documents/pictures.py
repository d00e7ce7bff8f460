"""Pictures for a model to look at: upright, small enough, nothing in them but pixels."""

import io
from contextlib import suppress

from PIL import Image

from core.archive.documents.found import Found, left_out, unread
from core.archive.uploads.encoding import Limits
from core.archive.uploads.normalizing import normalized
from core.errors import InputError

# 2000 and 4000 pixels cost the same (deepseek.md A3): more is lost on the way anyway.
LIMITS = Limits(most_bytes=2 << 20, least_side=1, widest=1e6, longest_side=2_048)


def read_picture(content: bytes) -> Found:
    """Return the picture as it is sent; InputError for what is damaged, or has too many pixels."""
    try:
        made = normalized(content, LIMITS, fit=True)
    except InputError as error:
        raise unread("error.file_unread") from error
    frames = _frames(content)
    return Found(
        picture=made.content, media_type=made.media_type, left_out=left_out(frames=frames - 1)
    )


def _frames(content: bytes) -> int:
    """Return how many pictures a moving one is; a file of pages tells as much."""
    with suppress(Exception), Image.open(io.BytesIO(content), formats=("GIF", "WEBP", "PNG")) as it:
        return int(getattr(it, "n_frames", 1))
    return 1
