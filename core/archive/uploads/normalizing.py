"""Image normalisation: turns whatever picture comes in into the one that is sent on.

Upright, sRGB, JPEG or PNG, and nothing but pixels: a picture is encoded anew from its pixels, so no
place, device, comment, profile, thumbnail or tail can go with it. The same bytes give the same.
"""

import warnings
from concurrent.futures import Future, ThreadPoolExecutor

from core.archive.uploads.colours import to_srgb
from core.archive.uploads.decoding import decode_upload, unreadable
from core.archive.uploads.encoding import Limits, encode, encode_fitting
from core.errors import InputError
from core.models.generations import ReferenceImage

# One at a time, whoever asks: the largest takes some hundred megabytes while it is decoded. Neither
# the server's loop nor the threads that look into the database wait with it.
_executor = ThreadPoolExecutor(1, thread_name_prefix="uploads")


def normalize(content: bytes, limits: Limits, *, fit: bool = False) -> Future[ReferenceImage]:
    """Return, once it is made, the picture that may be sent; InputError for what cannot be read.

    What breaks the limits is returned as it is, unless `fit` says to cut, shrink or enlarge it.
    """
    return _executor.submit(normalized, content, limits, fit=fit)


def normalized(content: bytes, limits: Limits, *, fit: bool) -> ReferenceImage:
    """Return it at once: for a process that does nothing else."""
    try:
        with warnings.catch_warnings():  # no other thread decodes at this time
            warnings.simplefilter("ignore")  # about metadata that is left behind
            encoded = _encoded(content, limits, fit=fit)
    except InputError:
        raise
    except Exception as error:  # decoders raise whatever the damage leads them to
        raise unreadable() from error
    is_png = encoded.startswith(b"\x89PNG")
    return ReferenceImage(encoded, "image/png" if is_png else "image/jpeg")


def _encoded(content: bytes, limits: Limits, *, fit: bool) -> bytes:
    decoded = decode_upload(content, may_shrink=fit)
    image = to_srgb(decoded.image)
    image.info = {}  # encoders write some of it by themselves
    if fit:
        return encode_fitting(image, decoded, limits)
    may_lose = len(content) <= limits.most_bytes
    return encode(image, decoded, limits.most_bytes, may_lose=may_lose)
