"""Static files of the pages: scripts and styles that a browser fetches once and keeps.

Streamlit sends what a component or `st.html` holds with every run, some 60 KB for the chat page: as
much as a long answer. So a run sends addresses only, each with the hash of what it leads to. A host
that only runs scripts serves no files of ours: there they stand in the page, as Streamlit has it.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from core.texts.catalogue import LANGUAGE_TAGS, Language
from core.ui.frame import streamlit_words, uploader_words

FOLDER = "assets"
_ROOMS = Path(__file__).parents[1]
# What a browser fetches, and of which files it is put together.
_PARTS = {
    "browser.js": ("frame/components/browser.js",),
    "shortcuts.js": ("palette/components/shortcuts.js",),
    "composer.js": (
        "chat/components/composer.js",
        "chat/components/drafts.js",
        "chat/components/leftovers.js",
        "chat/components/places.js",
    ),
    "copying.js": ("frame/components/copying.js",),
    "previews.js": ("chat/components/previews.js",),
    "reading.js": ("chat/components/reading.js",),
    "conversations.js": ("chat/components/conversations.js",),
    "selection.js": ("drawing/components/selection.js",),
    "pictures.js": ("generations/components/pictures.js",),
    "expansion.js": ("generations/components/expansion.js",),
    "transfer.js": ("history/components/transfer.js",),
    "beats.js": ("status/components/beats.js",),
    "frame.css": ("frame/components/frame.css",),
    "chat.css": ("chat/components/chat.css",),
    "pictures.css": ("generations/components/pictures.css",),
}
# What differs by language, under NAME.LANGUAGE.KIND.
_WORDED: dict[str, Callable[[Language], str]] = {
    "uploader.css": uploader_words.style,
    "words.json": lambda language: json.dumps(streamlit_words.words(language), ensure_ascii=False),
}
# Part of every run, so as short as it can be read. It hands the component to the script once that
# is there, unless it is gone by then; asked for while a server starts anew, the script is asked for
# once more a moment later. `data` comes as bytes (see `component`).
_LOADER = """\
const u=new URL("%s",document.baseURI).href,
m=import(u).catch(()=>new Promise(r=>setTimeout(r,1500)).then(()=>import(u+"?again")));
export default c=>{let e,o,d=c.data;
m.then(m=>{o||(e=m.default({...c,data:d&&JSON.parse(new TextDecoder().decode(d))}))},()=>{});
return()=>{o=1;e?.call&&e()}}"""
_is_served = False


class _Files(Mapping[str, bytes]):
    """The static files by name, each read when it is first asked for."""

    def __getitem__(self, name: str) -> bytes:
        if name not in _names():
            raise KeyError(name)
        return _content(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_names())

    def __len__(self) -> int:
        return len(_names())


def serve() -> Mapping[str, bytes]:
    """Return the static files by name, for the server to serve in FOLDER; addresses hold now."""
    global _is_served
    _is_served = True
    return _Files()


def component(name: str) -> Callable[..., Any]:
    """Return the renderer of a component (st.components.v2) whose script is NAME.js."""
    file = f"{name}.js"
    if not _is_served:
        return st.components.v2.component(f"inkling_{name}", js=_content(file).decode())
    mount = st.components.v2.component(f"inkling_{name}", js=_LOADER % address(file))

    def render(*, data: dict[str, Any] | None = None, **told: Any) -> Any:
        # In bytes Streamlit looks for no data frames (that would load pandas, 77 MB), and it sends
        # them as they are: its own JSON takes six bytes for a Chinese character.
        sent = (
            None
            if data is None
            else json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
        )
        return mount(data=sent, **told)

    return render


def draw_style(name: str) -> None:
    """Put a style sheet on the page: NAME.css, or that of the reader's language."""
    file = _in_language(f"{name}.css")
    style = f'@import url("{address(file)}");' if _is_served else _content(file).decode()
    st.html(f"<style>{style}</style>")


def words() -> dict[str, Any]:
    """Return Streamlit's own words in the reader's language, or the address of that table."""
    file = _in_language("words.json")
    return {"address": address(file)} if _is_served else {"table": json.loads(_content(file))}


def address(name: str) -> str:
    """Return the address of a file, relative to the page's."""
    stem, _, kind = name.rpartition(".")
    return f"{FOLDER}/{stem}.{hash_of(_content(name))}.{kind}"


@cache
def hash_of(content: bytes) -> str:
    """Return the version of a file (a shortened SHA-256): by it a browser knows what it has."""
    return hashlib.sha256(content).hexdigest()[:16]


@cache
def _names() -> frozenset[str]:
    worded = [_of(name, language) for name in _WORDED for language in LANGUAGE_TAGS]
    return frozenset((*_PARTS, *worded))


def _in_language(name: str) -> str:
    if name not in _WORDED:
        return name
    # The server lists the files before what pages are made of is there.
    from core.ui import session  # noqa: PLC0415

    return _of(name, session.language())


def _of(name: str, language: Language) -> str:
    stem, _, kind = name.rpartition(".")
    return f"{stem}.{language}.{kind}"


@cache
def _content(name: str) -> bytes:
    if name in _PARTS:
        return b"\n".join((_ROOMS / part).read_bytes() for part in _PARTS[name])
    stem, language, kind = name.rsplit(".", 2)
    return _WORDED[f"{stem}.{kind}"](language).encode()  # type: ignore[arg-type]
