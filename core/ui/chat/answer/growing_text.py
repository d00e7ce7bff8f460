"""Draws a text as it grows by `st.write_stream`, which is fed what it is to show.

It sends the text of its running element again for every chunk: so each settled piece is closed for
good by a callable, and what is sent again is only the live rest. The parts of a long fence are
drawn in one box, by a `write_stream` of its own (docs/decisions/0004-settled-blocks.md).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, count

import streamlit as st

from core.markdown.growing_fence import FencePart, as_block
from core.markdown.rendering import for_streamlit
from core.ui.live.chunks import Chunks

# Known to chat.css: what stands for a growing fence, also instead of the element before it, which
# shows how the fence began; and the box with its parts.
_PLACE, _PLACE_INSTEAD, _BOX = "growing-code", "growing-code-instead", "code-parts"
# All that came before a reload, or in one burst, is one element: Streamlit cuts off a reader who is
# 500 messages behind (WEBSOCKET_MAX_SEND_QUEUE_SIZE).
_ELEMENTS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """A piece of the text: what is to be seen behind all that was settled before."""

    markdown: str
    is_settled: bool = True
    is_code: bool = False  # a part of a fence that goes on
    whole: str = ""  # with the last part of a fence: all of it


class Replacement(str):
    """A chunk that replaces what write_stream's running element shows, instead of adding to it.

    write_stream adds chunks with `+`; Python asks the right operand first when it is a subclass.
    """

    def __radd__(self, shown: str) -> str:
        return str(self)


Chunk = Replacement | Callable[[], None]


def settled(pieces: list[str], *, is_end: bool) -> Iterator[Shown]:
    """Yield what the splitter's settled pieces show; at the end a fence is not told once more."""
    drawn: list[str] = []
    for piece in [*pieces, None]:
        if isinstance(piece, FencePart) or piece is None:
            at_once = len(drawn) > _ELEMENTS_AT_ONCE
            yield from map(Shown, ["\n\n".join(drawn)] if at_once else drawn)
            drawn = []
        else:
            drawn.append(as_drawn(piece))
        if isinstance(piece, FencePart):
            whole = as_drawn(as_block(piece.whole)) if piece.whole and not is_end else ""
            yield Shown(str(piece) if piece.code else "", is_code=piece.whole is None, whole=whole)


def as_drawn(piece: str) -> str:
    """Return Markdown for Streamlit, without the blank lines behind it, which show nothing."""
    return str(piece) if isinstance(piece, FencePart) else for_streamlit(piece).rstrip()


def chunks(pieces: Iterator[Shown], name: str) -> Iterator[Chunk]:
    """Yield what `st.write_stream` is to be fed; no other text of the page has the name."""
    numbers = count(1)
    running = ""
    for shown in pieces:
        if shown.is_code:
            place = f"{_PLACE_INSTEAD if running else _PLACE}-{name}-{next(numbers)}"
            yield partial(_draw_fence, chain((shown,), pieces), place)
            running = ""
        else:
            yield from _element(shown.whole or shown.markdown, running, shown)
            running = "" if shown.is_settled else shown.markdown or running


def _draw_fence(pieces: Iterator[Shown], name: str) -> None:
    """Draw a fence until it ends, and then all of it as what it is."""
    with st.container(key=name, gap=None):
        place = st.empty()
    wholes: list[str] = []
    with place.container(key=f"{_BOX}-{name}", gap=None):
        st.write_stream(Chunks(_parts(pieces, wholes.append)))
    for whole in wholes:
        place.markdown(whole)


def _parts(pieces: Iterator[Shown], end: Callable[[str], None]) -> Iterator[Chunk]:
    running = ""
    for shown in pieces:
        if shown.whole:
            end(shown.whole)
            return
        yield from _element(shown.markdown, running, shown)
        running = "" if shown.is_settled else shown.markdown or running
        if shown.is_settled and not shown.is_code:
            return


def _element(markdown: str, running: str, shown: Shown) -> Iterator[Chunk]:
    if markdown and shown.is_settled and not running:
        # In one message: write_stream empties the place first, where an earlier run's text may be
        # seen until now, and sends what it closes a second time.
        yield partial(_draw, markdown)
        return
    if markdown and markdown != running:
        yield Replacement(markdown)
    if shown.is_settled:
        yield _close


def _draw(markdown: str) -> None:
    st.markdown(markdown)


def _close() -> None:
    """Close write_stream's running element: what it shows is never sent again."""
