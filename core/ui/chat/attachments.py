"""Attachments: the files that wait in the composer, and those of a question, foldable.

What a file says of itself is shown as text. Files are read as soon as they are sent: where all can
be, and a question came with them, it is asked; else they wait above the box.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import streamlit as st

from core.errors import AppError, InputError
from core.markdown.escaping import literal
from core.models.chat import Conversation, Message
from core.models.money.usage import estimate_tokens
from core.models.parts import FilePart, Part, PicturePart
from core.ui import chat_box, session
from core.ui.buttons import telling_errors
from core.ui.chat import settings as chat_settings
from core.ui.money import figures
from core.ui.money.words import amount_words
from core.ui.session import text
from core.wire.attachments.block import BLOCK_TOKENS, NAME_MOST, left_out_of
from core.wire.web.washing import plain_words, site_of
from core.work.attachments.extraction import ReadFile, read
from core.work.attachments.previews import preview_of
from core.work.chat.asking.attaching import check_sight
from core.work.money.input_tokens import PICTURE_TOKENS

FILES_MOST = 10
_TRAY = "attached"
_UNITS = ("pages", "rows", "sheets", "characters", "scans", "frames")
_SHOWN = 20_000  # characters of a file that is unfolded
_SHORT = 24
_PICTURE_PX = 160


def waiting(conversation: Conversation | None) -> tuple[ReadFile, ...]:
    """Return the files that the next question takes along."""
    return session.state().attached.get(chat_box.place_of(conversation), ())


def take(conversation: Conversation | None, value: Any) -> bool:
    """Read what was sent with a question; return whether all of it can go."""
    known = session.state()
    known.unread_files = ()
    uploads = getattr(value, "files", None) if not isinstance(value, str | None) else None
    if not uploads:
        return True
    st.toast(text("attach.reading", count=len(uploads)), icon=":material/attach_file:")
    refused: list[AppError] = []
    before = waiting(conversation)
    room = max(0, FILES_MOST - len(before))
    if len(uploads) > room:
        refused.append(InputError("file", "error.file_too_many", facts={"limit": FILES_MOST}))
    found: list[ReadFile] = []
    for reading in [read(one.name, one.getvalue()) for one in uploads[:room]]:
        try:
            found.append(reading.result())
        except AppError as error:
            refused.append(error)
    known.attached[chat_box.place_of(conversation)] = (*before, *found)
    known.unread_files = tuple(refused)
    return not refused


def bring(conversation: Conversation | None) -> None:
    """Put the file that another page sent here into the composer, alone."""
    known = session.state()
    if known.to_attach is None:
        return
    (name, content), known.to_attach = known.to_attach, None
    known.unread_files = ()
    try:
        known.attached[chat_box.place_of(conversation)] = (read(name, content).result(),)
    except AppError as error:
        known.unread_files = (error,)


def forget(place: str) -> None:
    """Let go of the files that were asked with."""
    session.state().attached.pop(place, None)


def draw_tray(conversation: Conversation | None) -> None:
    """Draw above the chat box what waits, with its tokens and price, and what could not be read."""
    known, files = session.state(), waiting(conversation)
    tray = st.empty()  # where nothing waits any more, that is seen while an answer comes in
    if not files and not known.unread_files:
        return
    with tray.container(key=_TRAY, gap="xsmall"):
        for error in known.unread_files:
            sentence = error.sentence(session.language())
            st.warning(literal(sentence), icon=":material/attach_file_off:")
        if not files:
            return
        model = chat_settings.parameters_of(conversation).model
        parts = [file.part for file in files]
        try:
            check_sight(parts, model, session.studio().services.models)
        except InputError as error:
            sentence = error.sentence(session.language())
            st.warning(literal(sentence), icon=":material/visibility_off:")
        st.caption(literal(_sum_words(files, model)))
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            for place, file in enumerate(files):
                st.button(
                    _label(file.part, longest=_SHORT),
                    icon=":material/close:",
                    help=text("attach.remove"),
                    key=f"detach-{place}-{file.part.sha256[:8] or len(file.name)}",
                    on_click=_remove,
                    args=(conversation, place),
                )


def tokens_of(files: Iterable[ReadFile]) -> int:
    """Return about how many tokens files are."""
    return sum(_tokens(file.part) for file in files)


def draw(message: Message) -> None:
    """Draw what a question brought along: pictures small, files folded."""
    pictures = [part for part in message.parts if isinstance(part, PicturePart)]
    files = [part for part in message.parts if isinstance(part, FilePart)]
    if pictures:
        with st.container(horizontal=True, gap="small"):
            for picture in pictures:
                _draw_picture(picture)
    for place, file in enumerate(files):
        _draw_file(file, f"file-{message.id}-{place}")


def _draw_picture(picture: PicturePart) -> None:
    store, owner = session.studio().store, session.owner()
    name = _name(picture) or text("attach.picture")
    content = None
    with telling_errors():
        content = preview_of(store, owner, picture.sha256) if picture.sha256 else None
    if content is not None:
        caption = " · ".join([literal(name), *_lacking(picture)])
        st.image(content, caption=caption, width=_PICTURE_PX, alt=name)
        return
    # Pictures that stand elsewhere are not loaded from there.
    is_elsewhere = picture.url.startswith(("http://", "https://"))
    told = text("attach.picture_at", site=site_of(picture.url)) if is_elsewhere else ""
    st.caption(literal(told or text("attach.picture_gone", name=name)))


def _draw_file(file: FilePart, key: str) -> None:
    folded = st.expander(
        _label(file), key=key, icon=":material/description:", type="compact", on_change="rerun"
    )
    if not folded.open:  # not even sent: it may be a whole book
        return
    with folded:
        if len(file.text) > _SHOWN:
            st.caption(text("attach.shown", shown=_SHOWN, count=len(file.text)))
        st.code(plain_words(file.text, _SHOWN), language=None, wrap_lines=True)


def _label(part: FilePart | PicturePart, *, longest: int = NAME_MOST) -> str:
    """Return a file's name, about how many tokens it is, and what of it is not there."""
    name = _name(part) or text("attach.picture")
    if len(name) > longest:  # how it ends tells its kind
        name = f"{name[: longest - 9]}…{name[-8:]}"
    told = [literal(name)]
    told.append(text("attach.tokens", count=f"{_tokens(part):,}"))
    return " · ".join([*told, *_lacking(part)])


def _lacking(part: FilePart | PicturePart) -> list[str]:
    return [
        text(f"attach.left_{unit}", count=f"{count:,}")
        for unit, count in left_out_of(part)
        if unit in _UNITS
    ]


def _name(part: FilePart | PicturePart) -> str:
    # Washed once more: what was imported has not come through the reader.
    return plain_words(part.name, NAME_MOST, is_line=True)


def _tokens(part: Part) -> int:
    if isinstance(part, FilePart):
        return estimate_tokens(part.text) + BLOCK_TOKENS
    return PICTURE_TOKENS


def _sum_words(files: Sequence[ReadFile], model: str) -> str:
    tokens = tokens_of(files)
    told = [text("attach.sum", count=f"{tokens:,}")]
    cost = figures.input_cost(model, tokens)
    if cost is not None:
        told.append(text("attach.price", amount=amount_words(cost.amount, cost.currency)))
    return " · ".join(told)


def _remove(conversation: Conversation | None, place: int) -> None:
    files = waiting(conversation)
    session.state().unread_files = ()
    session.state().attached[chat_box.place_of(conversation)] = files[:place] + files[place + 1 :]
