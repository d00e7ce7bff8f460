"""What is attached to a question, before it is asked: whether its model sees it, and holds it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.errors import InputError
from core.models.chat import ChatModel, Turn
from core.models.money.ledger import Reservation
from core.models.parts import FilePart, Part, PicturePart
from core.work.chat.models import ChatModels

# DeepSeek takes a body of 48 MiB, its pictures as base64 (deepseek.md A3): the last ones go.
_PICTURES_MOST = 40 << 20


def check_sight(parts: Iterable[Part], model: str, models: ChatModels) -> None:
    """Raise InputError where a question has pictures, and its model takes none."""
    if models.facts(model).sees is False and any(isinstance(one, PicturePart) for one in parts):
        offered = models.seeing() or "-"
        facts = {"model": model, "offered": offered}
        raise InputError("question", "error.model_blind", facts=facts)


def check_room(turns: Sequence[Turn], held: Reservation, model: ChatModel) -> None:
    """Raise InputError where files make a conversation longer than its model holds."""
    window, about = model.context_window, held.line.miss or 0
    has_files = any(isinstance(part, FilePart) for turn in turns for part in turn.content)
    if window is not None and has_files and about > window:
        facts = {"model": model.id, "count": about, "limit": window}
        raise InputError("question", "error.context_full", facts=facts)


def shown_to(turns: Iterable[Turn], model: ChatModel) -> list[Turn]:
    """Return turns without the pictures that a model cannot see, or a request cannot hold.

    What is not sent is told in its place by its name. The last pictures are kept.
    """
    left = 0 if model.sees is False else _PICTURES_MOST
    shown: list[Turn] = []
    for turn in reversed(list(turns)):
        content: list[Part] = []
        for part in reversed(turn.content):
            if isinstance(part, PicturePart) and (part.url.startswith("data:") or left == 0):
                if len(part.url) > left:
                    part = replace(part, url="")
                left = max(0, left - len(part.url))
            content.insert(0, part)
        shown.insert(0, replace(turn, content=tuple(content)))
    return shown
