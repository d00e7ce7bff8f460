"""Base path (`server.baseUrlPath`): a request's path below the place where the studio is served."""

from dataclasses import dataclass
from urllib.parse import quote, unquote

from starlette.types import Scope


@dataclass(frozen=True, slots=True)
class Mount:
    """A request's path below the base; `is_stripped` where a proxy had taken the base off."""

    path: str
    raw_path: bytes
    is_stripped: bool


class BasePath:
    """Takes the base off a request's path, and puts it back for the pages.

    Proxies differ: one keeps the sub-path that it serves, another strips it. A path that does not
    begin with the base was stripped, so that both work, and a health check at the port's root too.
    """

    def __init__(self, configured: str) -> None:
        self._segments = [part for part in configured.strip().split("/") if part]
        self.prefix = "".join(f"/{part}" for part in self._segments)
        self.url = quote(self.prefix)  # as it stands in links, cookies and headers

    def place(self, scope: Scope) -> Mount:
        """Return where below the base a request leads; "" is the base itself, without a slash."""
        path: str = scope["path"]
        raw_path: bytes = scope.get("raw_path") or quote(path).encode()
        if not self.prefix:
            return Mount(path, raw_path, is_stripped=False)
        # The segments are compared before they are decoded: "%2F" divides nothing.
        head, tail = _divided(raw_path, len(self._segments))
        if [unquote(part) for part in head] != self._segments:
            return Mount(path, raw_path, is_stripped=True)
        return Mount(path[len(self.prefix) :], tail, is_stripped=False)

    def for_pages(self, scope: Scope, place: Mount) -> Scope:
        """Return the scope as Streamlit, which knows no other place, expects it."""
        if not place.is_stripped:
            return scope
        raw_path = self.url.encode() + place.raw_path
        return {**scope, "path": self.prefix + place.path, "raw_path": raw_path}


def below(scope: Scope, place: Mount) -> Scope:
    """Return the scope with the path below the base."""
    return {**scope, "path": place.path, "raw_path": place.raw_path}


def _divided(raw_path: bytes, depth: int) -> tuple[list[str], bytes]:
    parts = raw_path.decode("latin-1").split("/", depth + 1)
    tail = f"/{parts[depth + 1]}" if len(parts) > depth + 1 else ""
    return parts[1 : depth + 1], tail.encode("latin-1")
