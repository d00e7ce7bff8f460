"""Forms with a picture and fields beside it, as OpenAI's clients post edits."""

from typing import Any

from core.web.http_call import Held, HttpCall
from core.web.openai.images.request import OpenAIImageBody
from core.web.openai.multipart import Upload, posted_items, refuse_repeated

_FILES_MOST = 16
_FIELD_BYTES = 256 * 1024
# Of OpenAI's fields only these are numbers and flags; a form says all of them as text.
_NUMBERS = ("n", "partial_images", "output_compression")
_FLAGS = ("stream",)


class EditForm(OpenAIImageBody, kw_only=True):
    """The fields of a picture, and the file that it is drawn from."""

    image: Upload


async def posted_form(
    call: HttpCall, most_bytes: int, held: Held
) -> tuple[dict[str, Any], list[bytes]]:
    """Return the fields of a form and the files named `image`; HttpCallError where it is none."""
    fields: dict[str, Any] = {}
    pictures: list[bytes] = []
    async with posted_items(
        call, held, most_bytes=most_bytes, files_most=_FILES_MOST, field_bytes=_FIELD_BYTES
    ) as items:
        named = [(name.removesuffix("[]"), value) for name, value in items]
        refuse_repeated(name for name, value in named if isinstance(value, str))
        for name, value in named:
            if isinstance(value, str):
                fields[name] = _read(name, value)
            elif name == "image":
                pictures.append(await value.read())
            else:  # a mask: which is not offered
                fields[name] = True
    return fields, pictures


def _read(name: str, value: str) -> int | bool | str:
    if name in _NUMBERS and value.strip().isdecimal() and len(value) < 10:
        return int(value)
    return {"true": True, "false": False}.get(value, value) if name in _FLAGS else value
