"""core/providers/deepseek/schema_tool: any caller's names and schemas come to a tool."""

from typing import Any

import pytest

from core.models.chat_options import ChatOptions
from core.providers.deepseek.schema_tool import is_strict, with_schema_tool


@pytest.mark.parametrize("wished", ["answer", "answer_2", "weather", "not a name", ""])
@pytest.mark.parametrize("taken", [(), ("answer",), ("answer", "answer_0", "answer_1", "answer_2")])
def test_the_tool_has_a_name_of_its_own(wished: str, taken: tuple[str, ...]) -> None:
    tools = tuple({"type": "function", "function": {"name": one}} for one in taken)
    form = {"type": "json_schema", "json_schema": {"name": wished, "schema": {"type": "object"}}}
    options, name = with_schema_tool(ChatOptions(tools=tools, response_format=form))
    names = [tool["function"]["name"] for tool in options.tools]
    assert names == [*taken, name]
    assert len({*names}) == len(names)
    assert name == wished or wished in taken or " " in wished or not wished


@pytest.mark.parametrize("required", [5, True, [["a"]], [{}], "a", {"b": 1}])
def test_a_schema_that_is_none_is_not_strict(required: Any) -> None:
    properties = {"a": {"type": "string"}, "b": {}}
    schema = {"properties": properties, "required": required, "additionalProperties": False}
    assert not is_strict(schema)


def test_a_schema_however_deep_is_strict_or_not() -> None:
    schema: dict[str, Any] = {}
    for _ in range(900):
        schema = {"properties": {"a": schema}, "required": ["a"], "additionalProperties": False}
    assert is_strict(schema) in (True, False)
