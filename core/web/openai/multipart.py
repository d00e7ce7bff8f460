"""Multipart forms as OpenAI's clients post them: files, with fields of text beside them."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from msgspec import Meta
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from core.web.http_call import Held, HttpCall, HttpCallError

_TYPE = "multipart/form-data"
_FIELDS_MOST = 64

Item = tuple[str, str | UploadFile]
Upload = Annotated[Any, Meta(extra_json_schema={"type": "string", "format": "binary"})]


@asynccontextmanager
async def posted_items(
    call: HttpCall, held: Held, *, most_bytes: int, files_most: int, field_bytes: int
) -> AsyncIterator[list[Item]]:
    """Yield names and values in their order; HttpCallError where the body is no such form."""
    content_type = call.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != _TYPE:
        raise HttpCallError(415, "http.form_with_file")
    body = await call.body(most_bytes=most_bytes, held=held)

    async def stream() -> AsyncGenerator[bytes]:
        yield body

    parser = MultiPartParser(
        Headers({"content-type": content_type}),
        stream(),
        max_files=files_most,
        max_fields=_FIELDS_MOST,
        max_part_size=field_bytes,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError, KeyError) as error:
        raise HttpCallError(400, "http.form_unreadable") from error
    try:
        yield form.multi_items()
    finally:
        await form.close()


def refuse_repeated(names: Iterable[str]) -> None:
    """Raise HttpCallError for the first name that stands there twice: only one could be read."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise HttpCallError(400, "http.field_twice", facts={"field": name[:60]}, field=name)
        seen.add(name)
