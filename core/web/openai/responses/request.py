"""Responses requests to chat requests: input items to messages, flat tools to nested ones."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from core.web.chat.posted.fields import Fate, others_in
from core.web.chat.posted.nested_fields import Places, names_of
from core.web.http_call import HttpCallError
from core.web.openai.responses.bodies import (
    TEXTS,
    FlatChoice,
    FlatFormat,
    FlatTool,
    InputItem,
    InputPart,
    Reasoning,
    ResponseBody,
    TextOptions,
)
from core.web.openai.responses.refusals import refusal_in
from core.web.openai.responses.sifting import sifted
from core.web.posted_fields import FieldError, validated

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
_PARTS = names_of(InputPart) | {"annotations", "logprobs"}
# What is read inside the fields, or says nothing that is not so anyway: ids, states, sources.
PLACES: Places = {
    "input[]": names_of(InputItem) | {"status", "encrypted_content"},
    "input[].content[]": _PARTS,
    "input[].output[]": _PARTS,
    "tools[]": names_of(FlatTool),
    "tool_choice": names_of(FlatChoice),
    "text": names_of(TextOptions),
    "text.format": names_of(FlatFormat),
    "reasoning": names_of(Reasoning),
}


def chat_fields(body: Mapping[str, Any]) -> Json:
    """Return the fields of a chat that asks the same; HttpCallError names what cannot be had."""
    for name, fate in FATES.items():
        if fate is Fate.REFUSED and body.get(name):
            raise _wrong(name, "http.not_offered")
    if not isinstance(body.get("input"), str | list):
        raise _wrong("input", "http.want_described")
    read = sifted(body)
    try:
        posted = validated(read, ResponseBody)
    except FieldError as error:
        raise refusal_in(read, error) from error
    names = ("model", "temperature", "top_p", "stream", "user", "safety_identifier")
    fields: Json = {name: body[name] for name in names if body.get(name) is not None}
    fields |= others_in({name: body[name] for name in body if FATES.get(name) is Fate.ELSEWHERE})
    fields["messages"] = _messages(posted)
    if posted.max_output_tokens is not None:
        fields["max_tokens"] = posted.max_output_tokens
    if posted.reasoning is not None and posted.reasoning.effort is not None:
        fields["reasoning_effort"] = posted.reasoning.effort
    text = posted.text or TextOptions()
    if text.verbosity is not None:
        fields["verbosity"] = text.verbosity
    if text.format is not None:
        fields["response_format"] = _format(text.format)
    if posted.tools:
        fields["tools"] = [{"type": "function", "function": _given(one)} for one in posted.tools]
        choice = posted.tool_choice
        if isinstance(choice, FlatChoice):
            fields["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
        elif choice is not None:
            fields["tool_choice"] = choice
    return fields


def _messages(posted: ResponseBody) -> list[Json]:
    items = _Items()
    if posted.instructions:
        items.messages.append({"role": "system", "content": posted.instructions})
    if isinstance(posted.input, str):
        items.messages.append({"role": "user", "content": posted.input})
    else:
        for place, item in enumerate(posted.input):
            items.add(item, f"input[{place}]")
    return items.messages


class _Items:
    """Joins items to messages: thinking, words and calls of one answer are one."""

    def __init__(self) -> None:
        self.messages: list[Json] = []
        self._thought = ""

    def add(self, item: InputItem, place: str) -> None:
        if item.type == "reasoning":
            name = "content" if item.content else "summary"
            told = item.content or item.summary
            self._thought += _text(told, f"{place}.{name}") if told else ""
        elif item.type == "function_call":
            function = {"name": item.name, "arguments": item.arguments or ""}
            call = {"id": item.call_id, "type": "function", "function": function}
            self._answer().setdefault("tool_calls", []).append(call)
        elif item.type == "function_call_output":
            content = _text(item.output, f"{place}.output")
            message = {"role": "tool", "tool_call_id": item.call_id, "content": content}
            self.messages.append(message)
        else:
            self._add_message(item, f"{place}.content")

    def _add_message(self, item: InputItem, place: str) -> None:
        if item.role == "assistant":
            told = _text(item.content, place)
            message = self._answer()
            if message.get("content") is None and "tool_calls" not in message:
                message["content"] = told
            else:
                self.messages.append({"role": "assistant", "content": told})
            return
        content: object = item.content
        if isinstance(item.content, list):
            content = [_part(part, place) for part in item.content]
        self.messages.append({"role": item.role, "content": content})

    def _answer(self) -> Json:
        """Return the answer that is being put together, or a new one."""
        if not (self.messages and self.messages[-1]["role"] == "assistant") or self._thought:
            message: Json = {"role": "assistant", "content": None}
            if self._thought:
                message["reasoning_content"], self._thought = self._thought, ""
            self.messages.append(message)
        return self.messages[-1]


def _text(told: str | list[InputPart] | None, place: str) -> str:
    if told is None:
        raise _wrong(place, "http.want_text")
    if isinstance(told, str):
        return told
    if not all(part.type in TEXTS or part.type == "refusal" for part in told):
        raise _wrong(place, "http.want_text_only")
    return "".join((part.refusal if part.type == "refusal" else part.text) or "" for part in told)


def _part(part: InputPart, place: str) -> Json:
    if part.type == "input_image" and part.image_url:
        address = {"url": part.image_url, "detail": part.detail or "auto"}
        return {"type": "image_url", "image_url": address}
    if part.type == "input_file":
        for name in ("file_id", "file_url"):  # kept elsewhere: nothing is fetched
            if getattr(part, name):
                raise _wrong(f"{place}.{name}", "http.not_offered")
        if part.file_data:
            return {
                "type": "file",
                "file": {"file_data": part.file_data, "filename": part.filename},
            }
    if part.type in TEXTS:
        return {"type": "text", "text": part.text}
    raise _wrong(place, "http.want_part")


def _format(form: FlatFormat) -> Json:
    if form.type != "json_schema":
        return {"type": form.type}
    return {"type": form.type, "json_schema": _given(form)}


def _given(flat: FlatTool | FlatFormat) -> Json:
    """Return the fields that were given, without the type, which stands beside them."""
    return {
        name: value for name, value in asdict(flat).items() if name != "type" and value is not None
    }


def _wrong(name: str, text_id: str) -> HttpCallError:
    return HttpCallError(400, text_id, facts={"field": name}, field=name)
