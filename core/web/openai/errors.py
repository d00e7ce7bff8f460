"""Errors in OpenAI's shape."""

from core.web.http_call import HttpCall
from core.web.http_errors import HttpError


def error_body(
    message: str, kind: str, *, param: str | None = None, code: str | None = None
) -> dict[str, object]:
    """Return an error in OpenAI's shape."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def body_of(error: HttpError) -> dict[str, object]:
    """Return what is told of an error, with the provider's own words."""
    message = f"{error.sentence} ({error.detail})" if error.detail else error.sentence
    return error_body(message, error.kind, param=error.param, code=error.code)


async def refuse(call: HttpCall, error: HttpError) -> None:
    """Answer with an error alone."""
    await call.reply_json(error.status, body_of(error), error.headers)
