"""What is told of a posted response that is not as its Structs have it: where, and what to do."""

import re
from collections.abc import Mapping
from typing import Any, get_args

from core.web.chat.posted.bodies import RoleWord
from core.web.chat.posted.request import refusal_of
from core.web.http_call import HttpCallError
from core.web.posted_fields import FieldError

_PLACE = re.compile(r"\[(\d+)\](?:\.([a-z_]+))?(.*)", re.DOTALL)


def refusal_in(body: Mapping[str, Any], error: FieldError) -> HttpCallError:
    """Return what is to be changed in a body, at the place that is wrong."""
    path, name = error.path.rstrip("`"), error.field
    if name == "input" and (place := _PLACE.fullmatch(path)):
        return _of_item(body["input"][int(place[1])], f"input[{place[1]}]", place[2])
    if name == "tools" and isinstance(tools := body["tools"], list):
        for number, tool in enumerate(tools):
            if not isinstance(tool, dict) or tool.get("type") != "function":
                return _wrong(f"tools[{number}].type", "http.functions_only")
    if (name, path) == ("reasoning", ".effort"):
        return refusal_of(FieldError("reasoning_effort", ""), None)
    if name in ("input", "tools", "tool_choice", "text", "reasoning"):
        return _wrong(f"{name}{path}", "http.want_described")
    own = "max_tokens" if name == "max_output_tokens" else name
    return refusal_of(FieldError(own, path), None)


def _of_item(item: object, place: str, name: str | None) -> HttpCallError:
    if not isinstance(item, dict) or name is None:
        return _wrong(place, "http.want_object")
    place = f"{place}.{name}"
    if name == "type":
        return _wrong(place, "http.not_offered")
    if name == "role":
        return _wrong(place, "http.want_one_of", offered=", ".join(get_args(RoleWord)))
    if name not in ("content", "summary", "output"):
        return _wrong(place, "http.want_described")
    if not isinstance(item[name], list):
        return _wrong(place, "http.want_text")
    takes_more = item["type"] == "message" and item.get("role") != "assistant"
    return _wrong(place, "http.want_part" if takes_more else "http.want_text_only")


def _wrong(name: str, text_id: str, **facts: object) -> HttpCallError:
    return HttpCallError(400, text_id, facts={"field": name, **facts}, field=name)
