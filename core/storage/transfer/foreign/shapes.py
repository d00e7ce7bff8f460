"""Detection of a file's kind, by what stands in it and never by its name."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from core.storage.transfer.foreign import chatgpt, deepseek_web, librechat, open_webui
from core.storage.transfer.foreign.model import DEEPEST, MOST_WEIGHT, ForeignConversation
from core.storage.transfer.json_events import Events, ValueRefusedError, skip, whole

Shape = Literal["own", "list", "single", "nextchat", "cherry-studio"]

NEXTCHAT_STORE = "chat-next-web-store"
_TELLING: dict[str, Shape] = {
    "format": "own",
    "conversations": "own",
    NEXTCHAT_STORE: "nextchat",
    "localStorage": "cherry-studio",
    "indexedDB": "cherry-studio",
    "mapping": "single",
    "conversationId": "single",
    "messagesTree": "single",
    "chat": "single",
    "history": "single",
}
_READERS = (deepseek_web, chatgpt, open_webui, librechat)


def shape_of(events: Events) -> Shape | None:
    """Return how a file's conversations stand in it; None where none of ours or theirs do."""
    event, _ = next(events)
    if event == "start_array":
        return "list" if any(is_known(entry) for entry in items(events)) else None
    if event != "start_map":
        for _ in events:  # to the end: what is no JSON at all is told so
            pass
        return None
    for event, key in events:
        if event != "map_key":
            break
        if key in _TELLING:
            return _TELLING[key]
        event, _ = next(events)
        skip(event, events)
    return None


def is_known(entry: object) -> bool:
    """Tell whether an entry is a conversation of a kind that is read one by one."""
    return isinstance(entry, Mapping) and any(reader.is_one(entry) for reader in _READERS)


def read_entry(entry: Mapping[str, Any]) -> ForeignConversation | None:
    """Return the conversation that an entry is; None where it is none."""
    reader = next((reader for reader in _READERS if reader.is_one(entry)), None)
    return reader.read(entry) if reader is not None else None


def items(events: Events) -> Iterator[Any]:
    """Yield the entries of a list that has begun; for one out of bounds, its refusal."""
    for event, value in events:
        if event == "end_array":
            return
        yield bounded(event, value, events)


def bounded(event: str, value: Any, events: Events) -> Any:
    """Return the value that begins with an event, or the refusal of one out of bounds."""
    try:
        return whole(event, value, events, most=MOST_WEIGHT, deepest=DEEPEST)
    except ValueRefusedError as error:
        return error
