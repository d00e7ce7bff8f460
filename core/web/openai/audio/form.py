"""Forms with a recording in them, as OpenAI's clients post what is to be written down."""

from msgspec import Struct
from starlette.datastructures import UploadFile

from core.models.speech import Recording
from core.providers.speech.transcription import RECORDING_MOST
from core.web.http_call import Held, HttpCall, HttpCallError
from core.web.openai.multipart import Upload, posted_items, refuse_repeated

_FIELD_BYTES = 64 * 1024
_FRAME_BYTES = 256 * 1024  # of the form around the recording
# What has the server answer in pieces: its reply is passed on whole.
_REFUSED = ("stream",)
_LIST = "[]"  # how a name ends that may stand there several times


class RecordingForm(Struct):
    """A recording; every other field goes to the server as it is."""

    file: Upload


async def posted_recording(call: HttpCall, held: Held) -> Recording:
    """Return the recording of a form and its other fields; HttpCallError where there is none."""
    most_bytes = RECORDING_MOST + _FRAME_BYTES
    async with posted_items(
        call, held, most_bytes=most_bytes, files_most=1, field_bytes=_FIELD_BYTES
    ) as items:
        texts = [(name, value) for name, value in items if isinstance(value, str)]
        refuse_repeated(name for name, _ in texts if not name.endswith(_LIST))
        fields: dict[str, str | list[str]] = {}
        for name, value in texts:
            if name.removesuffix(_LIST) in _REFUSED:
                if value.strip().lower() not in ("false", "0", ""):
                    raise HttpCallError(400, "http.not_offered", facts={"field": name}, field=name)
            elif name.endswith(_LIST):
                fields[name] = [*fields.get(name, ()), value]
            else:
                fields[name] = value
        upload = next((value for name, value in items if name == "file"), None)
        if not isinstance(upload, UploadFile):
            raise HttpCallError(400, "http.one_recording", facts={"field": "file"}, field="file")
        return Recording(
            await upload.read(),
            (upload.filename or "recording")[-100:],
            upload.content_type or "application/octet-stream",
            fields,
        )
