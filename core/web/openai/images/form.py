"""Multipart forms: a picture with fields beside it, as OpenAI's clients post edits."""

from collections.abc import AsyncGenerator
from typing import Any

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from core.web.http_call import HttpCall, HttpCallError

_TYPE = "multipart/form-data"
_FILES_MOST = 16
_FIELDS_MOST = 64
_FIELD_BYTES = 256 * 1024
# Of OpenAI's fields only these are numbers and flags; a form says all of them as text.
_NUMBERS = ("n", "partial_images", "output_compression")
_FLAGS = ("stream",)


async def posted_form(call: HttpCall, most_bytes: int) -> tuple[dict[str, Any], list[bytes]]:
    """Return the fields of a form and the files named `image`; HttpCallError where it is none."""
    content_type = call.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != _TYPE:
        raise HttpCallError(415, "http.form_with_file")
    body = await call.body(most_bytes=most_bytes)

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        Headers({"content-type": content_type}),
        stream(),
        max_files=_FILES_MOST,
        max_fields=_FIELDS_MOST,
        max_part_size=_FIELD_BYTES,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError, KeyError) as error:
        raise HttpCallError(400, "http.form_unreadable") from error
    try:
        fields: dict[str, Any] = {}
        pictures: list[bytes] = []
        for name, value in form.multi_items():
            plain = name.removesuffix("[]")
            if not isinstance(value, UploadFile):
                fields[plain] = _read(plain, value)
            elif plain == "image":
                pictures.append(await value.read())
            else:  # a mask: which is not offered
                fields[plain] = True
    finally:
        await form.close()
    return fields, pictures


def _read(name: str, value: str) -> int | bool | str:
    if name in _NUMBERS and value.strip().isdecimal() and len(value) < 10:
        return int(value)
    return {"true": True, "false": False}.get(value, value) if name in _FLAGS else value
