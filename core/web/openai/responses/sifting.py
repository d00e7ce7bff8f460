"""What is read of a posted response: fields beside it may be anything, as OpenAI's clients send.

Which fields are read an item's kind says, and a part's; whatever else stands there is not looked
at, so that it is no reason to refuse what would be understood.
"""

from collections.abc import Mapping
from typing import Any

from core.web.openai.responses.bodies import TEXTS

Json = dict[str, Any]

_OF_ITEMS: Mapping[object, tuple[str, ...]] = {
    "message": ("role", "content"),
    "function_call": ("name", "call_id", "arguments"),
    "function_call_output": ("call_id", "output"),
}
_OF_PARTS: Mapping[object, tuple[str, ...]] = {
    **dict.fromkeys(TEXTS, ("text",)),
    "refusal": ("refusal",),
    "input_image": ("image_url", "detail"),
    "input_file": ("file_data", "filename", "file_id", "file_url"),
}


def sifted(body: Mapping[str, Any]) -> Json:
    """Return a body with what is read of it; what is wrong there stays, to be refused."""
    kept = dict(body)
    if isinstance(asked := body.get("input"), list):
        kept["input"] = [_item(one) for one in asked]
    if not body.get("tools"):
        kept.pop("tools", None)
        kept.pop("tool_choice", None)  # there is nothing to choose from
    elif isinstance(choice := body.get("tool_choice"), dict):
        kept["tool_choice"] = _only(choice, ("name",))  # functions are all there is
    text = body.get("text")
    if isinstance(text, dict) and isinstance(form := text.get("format"), dict):
        is_schema = form.get("type") == "json_schema"
        kept["text"] = {**text, "format": form if is_schema else _only(form, ("type",))}
    return kept


def _item(item: object) -> object:
    if not isinstance(item, dict):
        return item
    kind = item.get("type") or "message"
    if kind == "reasoning":
        read: tuple[str, ...] = ("content",) if item.get("content") else ("summary",)
    else:
        read = _OF_ITEMS.get(kind, ()) if isinstance(kind, str) else ()
    kept = {"type": kind} | _only(item, read)
    if kind == "reasoning" and not kept.get("summary"):
        kept.pop("summary", None)
    for name in ("content", "output", "summary"):
        if isinstance(parts := kept.get(name), list):
            kept[name] = [_part(one) for one in parts]
    return kept


def _part(part: object) -> object:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(kind, str):
        return part
    kept = {"type": kind} | _only(part, _OF_PARTS.get(kind, ()))
    if not kept.get("detail"):
        kept.pop("detail", None)
    return kept


def _only(given: Json, names: tuple[str, ...]) -> Json:
    return {name: given[name] for name in names if name in given}
