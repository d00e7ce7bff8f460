"""Multipart forms with a recording in them, as OpenAI's clients post what is to be written down."""

from collections.abc import AsyncGenerator

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from core.models.speech import Recording
from core.providers.speech.transcription import RECORDING_MOST
from core.web.http_call import Held, HttpCall, HttpCallError

_TYPE = "multipart/form-data"
_FIELDS_MOST = 64
_FIELD_BYTES = 64 * 1024
_FRAME_BYTES = 256 * 1024  # of the form around the recording
# What has the server answer in pieces: its reply is passed on whole.
_REFUSED = ("stream",)


async def posted_recording(call: HttpCall, held: Held) -> Recording:
    """Return the recording of a form and its other fields; HttpCallError where there is none."""
    content_type = call.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != _TYPE:
        raise HttpCallError(415, "http.form_with_file")
    body = await call.body(most_bytes=RECORDING_MOST + _FRAME_BYTES, held=held)

    async def stream() -> AsyncGenerator[bytes]:
        yield body

    parser = MultiPartParser(
        Headers({"content-type": content_type}),
        stream(),
        max_files=1,
        max_fields=_FIELDS_MOST,
        max_part_size=_FIELD_BYTES,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError, KeyError) as error:
        raise HttpCallError(400, "http.form_unreadable") from error
    try:
        fields = {name: one for name, one in form.multi_items() if isinstance(one, str)}
        for name in _REFUSED:
            if fields.pop(name, "false").strip().lower() not in ("false", "0", ""):
                raise HttpCallError(400, "http.not_offered", facts={"field": name}, field=name)
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise HttpCallError(400, "http.one_recording", facts={"field": "file"}, field="file")
        return Recording(
            await upload.read(),
            (upload.filename or "recording")[-100:],
            upload.content_type or "application/octet-stream",
            fields,
        )
    finally:
        await form.close()
