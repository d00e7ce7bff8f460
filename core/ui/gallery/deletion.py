"""Deletion of pictures and of tasks that have ended, and the undo that brings them back."""

from core.ui import session
from core.ui.buttons import keeping_errors, undo
from core.ui.session import text


@keeping_errors()
def delete(picture_ids: tuple[str, ...]) -> None:
    """Take pictures out of the gallery; they can be brought back."""
    known = session.state()
    session.studio().store.gallery.delete_pictures(session.owner(), picture_ids)
    known.deleted_pictures = picture_ids
    known.deleted_generation_id = None
    for picture_id in picture_ids:
        known.picked.pop(picture_id, None)


@keeping_errors()
def delete_generation(generation_id: str) -> None:
    """Take a task that has ended out of the list; it can be brought back."""
    known = session.state()
    if session.studio().store.generation_lists.delete(session.owner(), generation_id):
        known.deleted_generation_id = generation_id
        known.deleted_pictures = ()


def draw_undo() -> None:
    """Offer back what was deleted last."""
    known = session.state()
    if known.deleted_pictures:
        words = text("gallery.deleted", count=len(known.deleted_pictures))
    elif known.deleted_generation_id is not None:
        words = text("gallery.deleted_task")
    else:
        return
    undo(words, "gallery-undo", _restore)


@keeping_errors()
def _restore() -> None:
    known, store = session.state(), session.studio().store
    if known.deleted_pictures:
        store.gallery.restore_pictures(session.owner(), known.deleted_pictures)
    elif known.deleted_generation_id is not None:
        store.generation_lists.restore(session.owner(), known.deleted_generation_id)
    known.deleted_pictures = ()
    known.deleted_generation_id = None
