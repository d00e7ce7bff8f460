"""Routing beside the HTTP layer: which paths are pages, which are files of theirs, which nothing.

Streamlit answers every path that it does not know with the page's HTML and 200: a probe, a scraper
or a client with a mistyped address takes that for success.
"""

from collections.abc import Collection
from typing import Literal

from core.web.front.base_path import Mount

Kind = Literal["page", "redirect", "asset", "own html", "nothing"]

# What Streamlit 1.67 serves beside the pages.
_FILES = frozenset(
    {"/favicon.png", "/manifest.json", "/oauth2callback", "/auth/login", "/auth/logout"}
)
_FOLDERS = ("/_stcore/", "/static/", "/app/static/")
# Here HTML may be what was asked for: what a script offers, and the frames of components.
_HTML_FOLDERS = ("/media/", "/component/", "/_stcore/bidi-components/")
# What a browser loads before it opens a websocket: files, and two words of the server.
_BEFORE_ALL = ("/static/", "/_stcore/health", "/_stcore/host-config")
_HIDDEN = (b"%2f", b"%5c", b"%2e", b"%00")


class PagePaths:
    """Knows the pages by name; the first of them is served at the root."""

    def __init__(self, names: Collection[str]) -> None:
        self._first, *others = [*names] or [""]
        self._names = frozenset(others)

    def kind(self, place: Mount) -> Kind:
        """Tell what a path outside of the HTTP layer leads to."""
        path = place.path
        if not path:
            return "redirect"
        if not _is_plain(place):
            return "nothing"
        if path == "/" or path[1:] in self._names:
            return "page"
        if path.removesuffix("/")[1:] in (self._first, *self._names):
            return "redirect"
        if path.endswith("/"):
            return "nothing"
        if path.startswith(_HTML_FOLDERS):
            return "own html"
        return "asset" if path in _FILES or path.startswith(_FOLDERS) else "nothing"

    def is_same_for_all(self, path: str) -> bool:
        """Tell whether a path that is no `nothing` is answered alike whoever asks, by no script."""
        is_page = path == "/" or path[1:] in self._names
        return is_page or path.startswith(_BEFORE_ALL[0]) or path in _BEFORE_ALL[1:]

    def target(self, place: Mount, base: str) -> str:
        """Return the relative address of the page that is meant: it holds behind any proxy."""
        if not place.path:
            return f"{base.rpartition('/')[2]}/"
        name = place.path.strip("/")
        up = "../" if place.path.endswith("/") else "./"
        return up if name == self._first else f"{up}{name}"


def _is_plain(place: Mount) -> bool:
    """Tell whether all readers of a path agree where it leads."""
    path = place.path
    if "//" in path or "\\" in path or not path.isprintable():
        return False
    if any(segment in (".", "..") for segment in path.split("/")):
        return False
    raw_path = place.raw_path.lower()
    return not any(hidden in raw_path for hidden in _HIDDEN)
