"""Errors in OpenAI's shape."""

from msgspec import UNSET, Struct, UnsetType

from core.web.chat.notices import Noticed
from core.web.http_call import HttpCall
from core.web.http_errors import HttpError


class OpenAIFault(Struct):
    """What went wrong: `param` is the field that is at fault."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIError(Noticed):
    """An error in OpenAI's shape."""

    error: OpenAIFault
    retry_after: int | UnsetType = UNSET
    request_id: str | UnsetType = UNSET


def error_body(
    message: str, kind: str, *, param: str | None = None, code: str | None = None
) -> OpenAIError:
    """Return an error in OpenAI's shape."""
    return OpenAIError(OpenAIFault(message, kind, param, code))


def body_of(error: HttpError) -> OpenAIError:
    """Return what is told of an error, with the provider's own words."""
    message = f"{error.sentence} ({error.detail})" if error.detail else error.sentence
    return error_body(message, error.kind, param=error.param, code=error.code)


async def refuse(call: HttpCall, error: HttpError) -> None:
    """Answer with an error alone."""
    await call.reply_json(error.status, body_of(error), error.headers)
