"""Responses requests to chat requests: input items to messages, flat tools to nested ones."""

from collections.abc import Mapping
from typing import Any

from core.web.chat.posted.fields import Fate, others_in
from core.web.chat.posted.nested_fields import Places
from core.web.http_call import HttpCallError

Json = dict[str, Any]

FATES: Mapping[str, Fate] = {
    "model": Fate.PASSED,
    "input": Fate.PASSED,
    "instructions": Fate.PASSED,
    "tools": Fate.PASSED,
    "tool_choice": Fate.PASSED,
    "text": Fate.PASSED,
    "reasoning": Fate.PASSED,
    "max_output_tokens": Fate.PASSED,
    "temperature": Fate.PASSED,
    "top_p": Fate.PASSED,
    "stream": Fate.UNDERSTOOD,
    "user": Fate.UNDERSTOOD,
    "safety_identifier": Fate.UNDERSTOOD,
    "metadata": Fate.UNDERSTOOD,  # stands in the reply again
    "store": Fate.UNDERSTOOD,  # nothing can be asked for again by its id: the reply says so
    "stream_options": Fate.UNDERSTOOD,
    "parallel_tool_calls": Fate.ELSEWHERE,
    "service_tier": Fate.ELSEWHERE,
    "prompt_cache_key": Fate.ELSEWHERE,
    "prompt_cache_retention": Fate.ELSEWHERE,
    "previous_response_id": Fate.REFUSED,
    "conversation": Fate.REFUSED,
    "background": Fate.REFUSED,
    "prompt": Fate.REFUSED,
    "top_logprobs": Fate.REFUSED,
}
AS_EVER: Mapping[str, tuple[object, ...]] = {
    "parallel_tool_calls": (True,),
    "service_tier": ("auto", "default"),
    "truncation": ("disabled",),
    # DeepSeek's thinking comes open, and goes back as it is.
    "include": (["reasoning.encrypted_content"],),
}
# What is read inside the fields, or says nothing that is not so anyway: ids, states, sources.
PLACES: Places = {
    "input[]": frozenset({"type", "role", "content", "id", "status", "summary"})
    | {"encrypted_content", "name", "call_id", "arguments", "output"},
    "input[].content[]": frozenset({"type", "text", "refusal", "image_url", "detail"})
    | {"annotations", "logprobs", "file_data", "filename", "file_id", "file_url"},
    "input[].output[]": frozenset({"type", "text", "refusal", "annotations", "logprobs"}),
    "tools[]": frozenset({"type", "name", "description", "parameters", "strict"}),
    "tool_choice": frozenset({"type", "name"}),
    "text": frozenset({"format", "verbosity"}),
    "text.format": frozenset({"type", "name", "schema", "description", "strict"}),
    "reasoning": frozenset({"effort", "summary", "generate_summary"}),
}
_TEXTS = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text"})
_FLAT = ("name", "description", "parameters", "strict")


def chat_fields(body: Mapping[str, Any]) -> Json:
    """Return the fields of a chat that asks the same; HttpCallError names what cannot be had."""
    for name, fate in FATES.items():
        if fate is Fate.REFUSED and body.get(name):
            raise _wrong(name, "http.not_offered")
    names = ("model", "temperature", "top_p", "stream", "user", "safety_identifier")
    fields: Json = {name: body[name] for name in names if body.get(name) is not None}
    fields |= others_in({name: body[name] for name in body if FATES.get(name) is Fate.ELSEWHERE})
    fields["messages"] = _messages(body)
    if body.get("max_output_tokens") is not None:
        fields["max_tokens"] = body["max_output_tokens"]
    reasoning, text = body.get("reasoning"), body.get("text")
    if isinstance(reasoning, dict) and reasoning.get("effort") is not None:
        fields["reasoning_effort"] = reasoning["effort"]
    if isinstance(text, dict) and text.get("verbosity") is not None:
        fields["verbosity"] = text["verbosity"]
    if isinstance(text, dict) and isinstance(form := text.get("format"), dict):
        fields["response_format"] = _format(form)
    if body.get("tools"):
        fields["tools"] = _tools(body["tools"])
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        choice = {"type": "function", "function": {"name": choice.get("name")}}
    if choice is not None and body.get("tools"):
        fields["tool_choice"] = choice
    return fields


def _messages(body: Mapping[str, Any]) -> list[Json]:
    asked, instructions = body.get("input"), body.get("instructions")
    items = _Items()
    if isinstance(instructions, str) and instructions:
        items.messages.append({"role": "system", "content": instructions})
    if isinstance(asked, str):
        items.messages.append({"role": "user", "content": asked})
    elif isinstance(asked, list):
        for place, item in enumerate(asked):
            items.add(item, f"input[{place}]")
    else:
        raise _wrong("input", "http.want_described")
    return items.messages


class _Items:
    """Joins items to messages: thinking, words and calls of one answer are one."""

    def __init__(self) -> None:
        self.messages: list[Json] = []
        self._thought = ""

    def add(self, item: object, place: str) -> None:
        if not isinstance(item, dict):
            raise _wrong(place, "http.want_object")
        kind = item.get("type") or "message"
        if kind == "message":
            self._add_message(item, place)
        elif kind == "reasoning":
            told = item.get("content") or item.get("summary") or []
            self._thought += _text(told, place) if told else ""
        elif kind == "function_call":
            function = {"name": item.get("name"), "arguments": item.get("arguments") or ""}
            call = {"id": item.get("call_id"), "type": "function", "function": function}
            self._answer().setdefault("tool_calls", []).append(call)
        elif kind == "function_call_output":
            told, call_id = item.get("output"), item.get("call_id")
            content = told if isinstance(told, str) else _text(told, f"{place}.output")
            self.messages.append({"role": "tool", "tool_call_id": call_id, "content": content})
        else:
            raise _wrong(f"{place}.type", "http.not_offered")

    def _add_message(self, item: Json, place: str) -> None:
        content = item.get("content")
        if item.get("role") == "assistant":
            told = content if isinstance(content, str) else _text(content, f"{place}.content")
            message = self._answer()
            if message.get("content") is None and "tool_calls" not in message:
                message["content"] = told
            else:
                self.messages.append({"role": "assistant", "content": told})
            return
        if isinstance(content, list):
            content = [_part(part, f"{place}.content") for part in content]
        self.messages.append({"role": item.get("role"), "content": content})

    def _answer(self) -> Json:
        """Return the answer that is being put together, or a new one."""
        if not (self.messages and self.messages[-1]["role"] == "assistant") or self._thought:
            message: Json = {"role": "assistant", "content": None}
            if self._thought:
                message["reasoning_content"], self._thought = self._thought, ""
            self.messages.append(message)
        return self.messages[-1]


def _text(parts: object, place: str) -> str:
    if not isinstance(parts, list):
        raise _wrong(place, "http.want_text")
    texts = []
    for part in parts:
        kind = _kind(part)
        if kind == "refusal":
            texts.append(str(part.get("refusal") or ""))
        elif kind in _TEXTS:
            texts.append(str(part.get("text") or ""))
        else:
            raise _wrong(place, "http.want_text_only")
    return "".join(texts)


def _kind(part: object) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    return kind if isinstance(kind, str) else ""


def _part(part: object, place: str) -> Json:
    kind = _kind(part)
    if isinstance(part, dict) and kind == "input_image" and part.get("image_url"):
        address = {"url": part["image_url"], "detail": part.get("detail") or "auto"}
        return {"type": "image_url", "image_url": address}
    if isinstance(part, dict) and kind == "input_file":
        for name in ("file_id", "file_url"):  # kept elsewhere: nothing is fetched
            if part.get(name):
                raise _wrong(f"{place}.{name}", "http.not_offered")
        if part.get("file_data"):
            file = {name: part.get(name) for name in ("file_data", "filename")}
            return {"type": "file", "file": file}
    if isinstance(part, dict) and kind in _TEXTS:
        return {"type": "text", "text": part.get("text")}
    raise _wrong(place, "http.want_part")


def _format(form: Json) -> Json:
    if form.get("type") != "json_schema":
        return {"type": form.get("type")}
    named = {
        name: form[name] for name in ("name", "schema", "description", "strict") if name in form
    }
    return {"type": "json_schema", "json_schema": named}


def _tools(tools: object) -> list[Json]:
    if not isinstance(tools, list):
        raise _wrong("tools", "http.want_described")
    read = []
    for place, tool in enumerate(tools):
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise _wrong(f"tools[{place}].type", "http.functions_only")
        function = {name: tool[name] for name in _FLAT if tool.get(name) is not None}
        read.append({"type": "function", "function": function})
    return read


def _wrong(name: str, text_id: str) -> HttpCallError:
    return HttpCallError(400, text_id, facts={"field": name}, field=name)
