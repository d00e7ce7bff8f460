"""What of a caller's path and query goes on to Kling: nothing that could lead elsewhere."""

from urllib.parse import unquote_plus, unquote_to_bytes

from core.web.http_call import TOKEN_PARAMETER, HttpCallError

PREFIX = "/kling"
# Its newer paths have the model's name in them, and take a plain API key only (kling.md section 0).
NEW_PATHS = ("/tasks", "/text-to-video/", "/image-to-video/", "/omni-video/", "/motion-control/")
# Its API, and what it tells of the account, which has no version (kling.md section 1).
API_PATHS = (b"/v1/", b"/account/", *(path.encode() for path in NEW_PATHS))
# Nobody encodes a task id this often; each round of decoding is checked, since hosts differ in how
# often they decode.
_ROUNDS_MOST = 4


def target_from(raw_path: bytes, query_string: bytes) -> str:
    """Return path and query for Kling, as they came; HttpCallError when the path is not plain."""
    rest = raw_path.removeprefix(PREFIX.encode())
    if not rest.startswith(API_PATHS):
        raise HttpCallError(404, "http.kling_path", facts={"prefix": PREFIX})
    _check(rest)
    query = _query(query_string)
    return rest.decode("ascii") + (f"?{query}" if query else "")


def is_new(target: str) -> bool:
    """Tell whether a target is one of the newer paths."""
    return target.startswith(NEW_PATHS)


def _check(path: bytes) -> None:
    if not path.isascii() or any(sign in b' "<>[]^`{|}#?' for sign in path):
        raise _refused()
    for _ in range(_ROUNDS_MOST):
        try:
            text = path.decode("utf-8")
        except UnicodeDecodeError as error:  # overlong forms of "." among them
            raise _refused() from error
        # Parameters behind ";" would be a second name for a path that is served here.
        if (
            "\\" in text
            or "//" in text
            or ";" in text
            or any(not sign.isprintable() for sign in text)
        ):
            raise _refused()
        if any(segment.strip() in (".", "..") for segment in text.split("/")):
            raise _refused()
        decoded = unquote_to_bytes(path)
        if decoded == path:
            return
        path = decoded
    raise _refused()


def _query(query_string: bytes) -> str:
    """Return the query without our own access token, ASCII only."""
    parts = query_string.decode("latin-1").split("&")
    kept = [part for part in parts if unquote_plus(part.partition("=")[0]) != TOKEN_PARAMETER]
    query = "&".join(kept)
    if not query.isascii() or any(not "!" <= sign <= "~" for sign in query):
        raise HttpCallError(400, "http.kling_query_signs")
    return query


def _refused() -> HttpCallError:
    return HttpCallError(400, "http.kling_path_signs")
