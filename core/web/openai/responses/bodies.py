"""Posted body of a response: the Structs that validate it, and describe it in `/openapi.json`."""

from typing import Annotated, Any, Literal

from msgspec import Struct

from core.web.chat.posted.bodies import (
    Detail,
    EffortWord,
    Limit,
    Name,
    RoleWord,
    Share,
    Warmth,
    loose,
)

TEXTS = ("input_text", "output_text", "text", "summary_text", "reasoning_text")
_PartKind = Literal[
    "input_text",
    "output_text",
    "text",
    "summary_text",
    "reasoning_text",
    "refusal",
    "input_image",
    "input_file",
]
_ItemKind = Literal[
    "message", "reasoning", "function_call", "function_call_output", "item_reference"
]
_KeptElsewhere = Annotated[Any, loose("string")]


class InputPart(Struct, gc=False):
    """Words, a picture or a file: which fields it has, its type says."""

    type: _PartKind
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: Detail | None = None
    file_data: str | None = None
    filename: str | None = None
    file_id: _KeptElsewhere = None  # refused, as is the next one: nothing is fetched
    file_url: _KeptElsewhere = None


class InputItem(Struct, gc=False):
    """A message (no type), or what a model thought, called and was told, or an earlier item."""

    type: _ItemKind | None = None
    role: RoleWord | None = None
    content: str | list[InputPart] | None = None
    summary: list[InputPart] | None = None
    name: str | None = None
    call_id: str | None = None
    arguments: str | None = None
    output: str | list[InputPart] | None = None
    id: Any = None


class FlatTool(Struct):
    """A function that the model may call; `parameters` is its JSON schema."""

    type: Literal["function"]
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FlatChoice(Struct):
    """The function that must be called."""

    name: Name
    type: Literal["function"] = "function"


class FlatFormat(Struct):
    """The answer's form."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class TextOptions(Struct):
    """How the answer is written."""

    format: FlatFormat | None = None
    verbosity: Any = None


class Reasoning(Struct):
    """How much is thought."""

    effort: EffortWord | None = None
    summary: Any = None
    generate_summary: Any = None


class ResponseBody(Struct):
    """OpenAI's fields of a response; the last of the input is the user's, or a tool's."""

    input: str | list[InputItem]
    model: str | None = None
    instructions: str | None = None
    tools: list[FlatTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | FlatChoice | None = None
    text: TextOptions | None = None
    reasoning: Reasoning | None = None
    max_output_tokens: Limit = None
    temperature: Warmth | None = None
    top_p: Share | None = None
    stream: Annotated[Any, loose("boolean")] = None
    user: str | None = None
    safety_identifier: str | None = None
