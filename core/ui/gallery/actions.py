"""Actions on a picture, wherever it is shown: star, download, use again, vary, chat, delete."""

from typing import Literal, get_args

import streamlit as st

from core.markdown.escaping import literal
from core.models.generations import Generation, Picture
from core.storage.generations.gallery import GalleryPicture
from core.ui import clock, session
from core.ui.buttons import button, download, keeping_errors
from core.ui.frame import presses
from core.ui.gallery import reuse
from core.ui.gallery.deletion import delete, delete_generation
from core.ui.gallery.zip_export import picture_file_name
from core.ui.generations.kinds import table
from core.ui.generations.thumbnails import file_name, title
from core.ui.session import text

Action = Literal["again", "vary", "refer", "expand", "describe", "chat", "delete"]
_ICONS: dict[Action, str] = {
    "again": "redo",
    "vary": "auto_awesome_mosaic",
    "refer": "add_photo_alternate",
    "expand": "open_in_full",
    "describe": "image_search",
    "chat": "forum",
    "delete": "delete",
}
_NAMES: dict[Action, str] = {
    "again": "gallery.use_again",
    "vary": "gallery.variations",
    "refer": "gallery.refer",
    "expand": "gallery.expand",
    "describe": "gallery.describe",
    "chat": "gallery.to_chat",
    "delete": "chat.delete",
}
_ACTIONS: tuple[Action, ...] = get_args(Action)


def named(item: GalleryPicture) -> str:
    """Return a picture's name for those who hear it: which one, of what."""
    words = literal(title(item.generation.request))
    return text("images.alt", number=item.picture.index + 1, prompt=words)


def possible(generation: Generation) -> tuple[Action, ...]:
    """Return what can be done: of a recovered task Kling tells no prompt to use again."""
    request = generation.request
    can_again = bool(request.model_name) and request.kind in table.FORMS
    needed: dict[Action, bool] = {"again": can_again, "chat": bool(request.prompt)}
    return tuple(action for action in _ACTIONS if needed.get(action, True))


def _icon(action: Action) -> str:
    return f":material/{_ICONS[action]}:"


def _label(action: Action) -> str:
    """Return an action's name with its icon, as a menu has it."""
    return f"{_icon(action)} {text(_NAMES[action])}"


def draw_star(item: GalleryPicture, *, place: Literal["tile", "view"]) -> None:
    """Draw the star that marks a favourite; it says of what, and whether it is one."""
    picture = item.picture
    words = text("gallery.unmark" if picture.favourite else "gallery.mark")
    with st.container(key=f"icon-star-{place}-{picture.id}", width="content"):
        st.button(
            f"{':primary[★]' if picture.favourite else ':gray[☆]'} {words}{of(item)}",
            type="tertiary",
            help=words,
            key=f"star-{place}-{picture.id}",
            on_click=_mark,
            args=(picture,),
        )


def draw_download(item: GalleryPicture) -> None:
    """Draw the download as an icon; it says of what."""
    picture, generation, archive = item.picture, item.generation, session.studio().archive
    with st.container(key=f"icon-download-{picture.id}", width="content"):
        st.download_button(
            f"{text('images.download')}{of(item)}",
            lambda: archive.download_bytes(picture, generation),
            file_name(generation, picture),
            picture.media_type,
            f"download-{picture.id}",
            icon=":material/download:",
            type="tertiary",
            help=text("images.download"),
            on_click="ignore",
        )


def draw_menu(item: GalleryPicture) -> None:
    """Draw the menu of everything else."""
    with st.container(key=f"icon-menu-{item.picture.id}", width="content"):
        key = f"menu-{item.picture.id}"
        st.menu_button(
            f"{text('gallery.menu')}{of(item)}",
            possible(item.generation),
            format_func=_label,
            icon=":material/more_vert:",
            type="tertiary",
            key=key,
            on_click=lambda: _do(st.session_state[key], item),
        )


def draw_all(item: GalleryPicture) -> None:
    """Draw every action as a button, as the large view has them."""
    picture, generation = item.picture, item.generation
    archive = session.studio().archive
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        draw_star(item, place="view")
        download(
            "gallery.download_original",
            f"original-{picture.id}",
            lambda: archive.original_bytes(picture.name),
            picture_file_name(item, clock.zone()),
            picture.media_type,
        )
        if picture.media_type == "image/png":
            download(
                "gallery.download_told",
                f"told-{picture.id}",
                lambda: archive.download_bytes(picture, generation),
                file_name(generation, picture),
                picture.media_type,
                "data_info_alert",
                help=text("gallery.download_told_help"),
            )
        for action in possible(generation):
            key = f"{action}-{picture.id}"
            button(_NAMES[action], _ICONS[action], key, _do, action, item)


def _do(action: Action, item: GalleryPicture) -> None:
    """Do what was chosen; what leads to another page goes there."""
    presses.draw_whole_page()  # also where this was pressed in a part of it
    match action:
        case "again":
            reuse.use_again(item.generation)
        case "vary":
            reuse.vary(item.picture, item.generation)
        case "refer":
            reuse.refer_to(item.picture)
        case "expand":
            reuse.expand(item.picture)
        case "describe":
            reuse.describe(item.picture, item.generation)
        case "chat":
            reuse.send_to_chat(item.generation)
        case "delete":
            delete((item.picture.id,))


def draw_use_again(generation: Generation) -> None:
    """Draw the button that fills the form with what a task asked for, where that is known."""
    if "again" not in possible(generation):
        return
    key = f"again-{generation.id}"
    button("gallery.use_again", _ICONS["again"], key, reuse.use_again, generation)


def draw_delete_task(generation: Generation) -> None:
    """Draw the button that takes an ended task out of the list."""
    key = f"delete-{generation.id}"
    button("chat.delete", "delete", key, delete_generation, generation.id)


def of(item: GalleryPicture) -> str:
    """Return which picture an action is for, to stand behind the action's name."""
    return text("gallery.of", what=named(item))


@keeping_errors()
def _mark(picture: Picture) -> None:
    session.studio().store.gallery.set_favourite(session.owner(), picture.id, not picture.favourite)
