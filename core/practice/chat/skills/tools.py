"""Tools as a request offers them, and which of them the practice model calls, with what."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.practice.chat.refusal import ChatRefusal, invalid
from core.practice.chat.skills.filling import Json, filled
from core.practice.chat.skills.picturing import pictured

TOOLS_MOST = 128
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WORD = re.compile(r"[a-z]{3,}|[\u4e00-\u9fff]")
# Words of every description.
_USUAL = frozenset(
    {"the", "and", "for", "get", "with", "from", "that", "this", "tool", "call", "function", "you"}
    | {"return", "returns", "given", "use", "used", "user", "json", "practice", "what", "how"}
    | {"are", "can", *"的了是在和一个请我你这那有"}
)
_UNKNOWN = "no_such_tool"


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that may be called."""

    name: str
    description: str = ""
    schema: Json | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """What a request says of its tools."""

    tools: tuple[Tool, ...] = ()
    named: str | None = None
    must_call: bool = False
    may_call: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the model writes it."""

    name: str
    arguments: str


def read_choice(fields: Json, *, thinks: bool, beta: bool) -> Choice:
    """Return tools and choice of a request, or raise the refusal DeepSeek would send."""
    tools = fields.get("tools") or []
    if not isinstance(tools, list) or len(tools) > TOOLS_MOST:
        invalid(f"tools: expected at most {TOOLS_MOST} tools")
    read = tuple(_tool(tool, place) for place, tool in enumerate(tools))
    if beta and any(tool.strict for tool in read):
        _check_strict(read)
    choice = fields.get("tool_choice")
    named = _named(choice)
    forced = choice == "required" or named is not None
    if not forced and choice not in (None, "none", "auto"):
        invalid("tool_choice: unknown variant, expected `none`, `auto`, `required` or a tool")
    if forced and thinks:
        raise ChatRefusal(400, "tool_choice: a forced choice is not supported in thinking mode")
    if forced and not read:
        raise ChatRefusal(400, "tool_choice: is set, but there are no tools")
    if named is not None and named not in {tool.name for tool in read}:
        raise ChatRefusal(400, f"tool_choice: there is no tool named {named}")
    return Choice(read, named, forced, choice != "none")


def calls_for(
    choice: Choice,
    question: str,
    faults: Mapping[str, int | None],
    *,
    called: frozenset[str] = frozenset(),
) -> tuple[Call, ...]:
    """Return what is called for a question: nothing, unless a tool is about it, or must be.

    Of tools whose results are there, which are those `called`, none is called again.
    """
    left = tuple(tool for tool in choice.tools if tool.name not in called) or choice.tools
    choice = replace(choice, tools=left)
    if "unknown-tool" in faults:
        return (Call(_UNKNOWN, json.dumps({"query": "练习 practice"}, ensure_ascii=False)),)
    wanted = _wanted(choice, question)
    is_asked = choice.must_call or {"tool_calls", "bad-arguments", "two-calls"} & faults.keys()
    if not wanted and is_asked:
        wanted = [choice.tools[-1 if called else 0] if choice.tools else Tool("search")]
    calls = [Call(tool.name, _arguments(tool, question)) for tool in wanted[:1]]
    if "two-calls" in faults:
        calls *= 2
    if "bad-arguments" in faults:
        calls = [Call(call.name, call.arguments[: len(call.arguments) // 2]) for call in calls]
    return tuple(calls)


def _wanted(choice: Choice, question: str) -> list[Tool]:
    if choice.named is not None:
        return [tool for tool in choice.tools if tool.name == choice.named]
    if not choice.may_call:
        return []
    scores = [(_likeness(tool, question), tool) for tool in choice.tools]
    best = max(scores, key=lambda scored: scored[0], default=(0, None))
    return [best[1]] if best[0] and best[1] is not None else []


def _likeness(tool: Tool, question: str) -> int:
    """Return how many words a question shares with what a tool is said to do."""
    about = f"{tool.name.replace('_', ' ')} {tool.description}".lower()
    shared = (set(_WORD.findall(about)) & set(_WORD.findall(question.lower()))) - _USUAL
    is_named = tool.name.lower() in question.lower()
    latin = sum(len(word) > 1 for word in shared)
    return 100 * is_named + latin + (len(shared) - latin) // 2


def _arguments(tool: Tool, question: str) -> str:
    if tool.schema is None:
        return json.dumps({"query": "练习 practice"}, ensure_ascii=False)
    value = pictured(tool.schema, question) or filled(tool.schema, question)
    return json.dumps(value if isinstance(value, dict) else {}, ensure_ascii=False)


def _tool(tool: object, place: int) -> Tool:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str) or not _NAME.fullmatch(name):
        invalid(f"tools[{place}].function.name: expected 1 to 64 of a-z, A-Z, 0-9, _ and -")
    schema = function.get("parameters")
    if schema is not None and not isinstance(schema, dict):
        invalid(f"tools[{place}].function.parameters: expected a JSON schema")
    return Tool(name, str(function.get("description") or ""), schema, bool(function.get("strict")))


def _named(choice: object) -> str | None:
    if not isinstance(choice, dict):
        return None
    function = choice.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str):
        invalid("tool_choice.function.name: expected the name of a tool")
    return name


def _check_strict(tools: Sequence[Tool]) -> None:
    if not all(tool.strict for tool in tools):
        raise ChatRefusal(400, "tools: all functions must set `strict`, or none")
    for tool in tools:
        if not _is_strict(tool.schema or {}):
            raise ChatRefusal(
                400,
                f"Invalid strict schema of {tool.name}: every property of an object must be "
                "required, and `additionalProperties` must be false",
            )


def _is_strict(schema: object) -> bool:
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, Mapping):
        return True
    properties = schema.get("properties")
    if schema.get("type") == "object":
        is_closed = schema.get("additionalProperties") is False
        if not is_closed or set(schema.get("required") or ()) != set(properties or ()):
            return False
    inner = properties.values() if isinstance(properties, Mapping) else ()
    rest = [one for key, one in schema.items() if key not in ("properties", "enum", "const")]
    return all(map(_is_strict, inner)) and all(map(_is_strict, rest))
