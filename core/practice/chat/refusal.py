"""How the practice DeepSeek says no: an HTTP status and the error body."""

from typing import NoReturn


class ChatRefusal(Exception):
    """The request is answered with this HTTP status and DeepSeek's error body."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str = "",
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        self.body = {
            "error": {
                "message": message,
                "type": kind,
                "param": None,
                "code": code or "invalid_request_error",
            }
        }


def invalid(message: str) -> NoReturn:
    """Refuse a value that is not allowed."""
    raise ChatRefusal(422, message)


def check_key(authorization: str, known: str) -> None:
    """Refuse a request without the key, in DeepSeek's words."""
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() == "bearer" and key.strip() == known:
        return
    message = "Authentication Fails (governor)"
    if key:
        message = f"Authentication Fails, Your api key: ****{key[-4:]} is invalid"
    raise ChatRefusal(401, message, kind="authentication_error")
