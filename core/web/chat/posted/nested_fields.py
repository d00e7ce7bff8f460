"""Unknown fields inside those of a chat: in messages, their parts, tools. Named, never lost.

A place is written as its path with `[]` for any number: `messages[].content[].cache_control`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

from core.web.chat.posted.bodies import (
    CalledFunction,
    FilePart,
    Function,
    ImageAddress,
    ImagePart,
    NamedFunction,
    NamedSchema,
    NamedTool,
    PostedCall,
    PostedFile,
    PostedMessage,
    RefusalPart,
    ResponseFormat,
    TextPart,
    Thinking,
    Tool,
)
from core.web.chat.posted.fields import says_something

Places = Mapping[str, frozenset[str]]


def names_of(*kinds: type[Struct]) -> frozenset[str]:
    """Return the fields that a place has which may be any of these."""
    return frozenset(field.name for kind in kinds for field in fields(kind)) | {"type"}


# `index`, `refusal` and an empty list stand in what clients send back of an answer as it came.
PLACES: Places = {
    "messages[]": names_of(PostedMessage) | {"refusal"},
    "messages[].content[]": names_of(TextPart, ImagePart, FilePart, RefusalPart),
    "messages[].content[].file": names_of(PostedFile),
    "messages[].content[].image_url": names_of(ImageAddress),
    "messages[].tool_calls[]": names_of(PostedCall) | {"index"},
    "messages[].tool_calls[].function": names_of(CalledFunction),
    "tools[]": names_of(Tool),
    "tools[].function": names_of(Function),
    "tool_choice": names_of(NamedTool),
    "tool_choice.function": names_of(NamedFunction),
    "response_format": names_of(ResponseFormat),
    "response_format.json_schema": names_of(NamedSchema),
    "thinking": names_of(Thinking),
    "stream_options": frozenset({"include_usage"}),
    "web_search_options": frozenset(),
}


def unknown_in(body: Mapping[str, Any], places: Places = PLACES) -> tuple[str, ...]:
    """Return the fields in a body's fields that nothing here reads, each once."""
    found: dict[str, None] = {}
    tops = {place.partition("[")[0].partition(".")[0] for place in places}
    for name in tops & body.keys():
        found.update(dict.fromkeys(_unknown(body[name], name, places)))
    return tuple(sorted(found))


def _unknown(value: object, place: str, places: Places) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _unknown(one, f"{place}[]", places)
    elif isinstance(value, dict) and (known := places.get(place)) is not None:
        for name, one in value.items():
            if name in known:
                if isinstance(one, dict | list):
                    yield from _unknown(one, f"{place}.{name}", places)
            elif says_something(one):
                yield f"{place}.{name}"
