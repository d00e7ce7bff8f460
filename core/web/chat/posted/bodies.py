"""Posted bodies of a chat: the Structs that validate them, and describe them in `/openapi.json`."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from core.work.chat.asking.means import QUESTION_LIMIT

MESSAGES_MOST = 2_000
TOOLS_MOST = 128  # DeepSeek's limit
STOPS_MOST = 16

RoleWord = Literal["system", "developer", "user", "assistant", "tool"]  # developer: OpenAI's newer
EffortWord = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"]
Detail = Literal["auto", "low", "high", "original"]
Warmth = Annotated[float, Meta(ge=0, le=2)]
Share = Annotated[float, Meta(ge=0, le=1)]
Limit = Annotated[int, Meta(ge=1, le=10_000_000)] | None
_FILLED = {"minLength": 1, "pattern": r"\S", "maxLength": QUESTION_LIMIT}
Question = Annotated[str, Meta(extra_json_schema=_FILLED)]
_COUNT = Meta(min_length=1, max_length=MESSAGES_MOST)
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_EndUser = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,512}$")]


def loose(*types: str) -> Meta:
    """Return what describes a field that is read elsewhere, or of another type passed over."""
    return Meta(extra_json_schema={"type": [*types, "null"]})


class TextPart(Struct, tag_field="type", tag="text", gc=False):
    """Words."""

    text: str


class ImageAddress(Struct, gc=False):
    """A picture's place: a data URL, or an address that the provider fetches."""

    url: Annotated[str, Meta(min_length=1)]
    detail: Detail | None = None


class ImagePart(Struct, tag_field="type", tag="image_url", gc=False):
    """A picture to look at."""

    image_url: ImageAddress


class PostedFile(Struct, gc=False):
    """A file: its bytes as base64, as a data URL or bare. One that is kept elsewhere is refused."""

    file_data: str | None = None
    filename: str | None = None
    file_id: Annotated[Any, Meta(extra_json_schema={"type": "null"})] = None


class FilePart(Struct, tag_field="type", tag="file", gc=False):
    """A file to read: a model reads the text in it, or looks at the picture that it is."""

    file: PostedFile


class RefusalPart(Struct, tag_field="type", tag="refusal", gc=False):
    """Words with which a model said no."""

    refusal: str


class CalledFunction(Struct, gc=False):
    """What was called; `arguments` as the model wrote them."""

    name: str
    arguments: str = ""


class PostedCall(Struct, gc=False):
    """A tool call of an earlier answer."""

    id: str
    function: CalledFunction
    type: Literal["function"] = "function"


class PostedMessage(Struct, gc=False):
    """What was said before, or the question; a tool's result; a beginning to be continued."""

    role: RoleWord
    content: str | list[TextPart | ImagePart | FilePart | RefusalPart] | None = None
    reasoning_content: Annotated[Any, loose("string")] = None
    name: str | None = None
    tool_calls: list[PostedCall] | None = None
    tool_call_id: str | None = None
    prefix: bool | None = None
    # What is not offered: refused.
    function_call: Annotated[Any, Meta(extra_json_schema={"type": "null"})] = None
    audio: Annotated[Any, Meta(extra_json_schema={"type": "null"})] = None


class Function(Struct):
    """A function that the model may call; `parameters` is its JSON schema."""

    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Struct):
    """A tool: functions are all there is."""

    function: Function
    type: Literal["function"] = "function"


class NamedFunction(Struct):
    """A function by its name."""

    name: Name


class NamedTool(Struct):
    """The tool that must be called."""

    function: NamedFunction
    type: Literal["function"] = "function"


class NamedSchema(Struct):
    """A schema that the answer is to follow."""

    name: str
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(Struct):
    """The answer's form. DeepSeek has no schemas: a tool is called with the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None


class Thinking(Struct):
    """DeepSeek's own form."""

    type: Literal["enabled", "disabled"]


class WebSearchOptions(Struct, forbid_unknown_fields=True):
    """The web is searched for the question first, also by `{}`. DeepSeek has neither field."""

    search_context_size: Literal["low", "medium", "high"] | None = None
    user_location: dict[str, Any] | None = None


class Parameters(Struct):
    """How it is to be answered. The fields are looked at in this order."""

    reasoning_effort: EffortWord | None = None
    thinking: bool | Thinking | None = None
    max_tokens: Limit = None
    max_completion_tokens: Limit = None
    model: str | None = None
    temperature: Warmth | None = None
    top_p: Share | None = None
    tools: Annotated[list[Tool], Meta(max_length=TOOLS_MOST)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    response_format: ResponseFormat | None = None
    stop: str | Annotated[list[str], Meta(max_length=STOPS_MOST)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    user_id: _EndUser | None = None
    web_search_options: WebSearchOptions | None = None
    studio_tools: bool | None = None
    user: str | None = None
    safety_identifier: str | None = None
    system: str | None = None
    stream: Annotated[Any, loose("boolean")] = None
    stream_options: Annotated[Any, loose("object")] = None


class OpenAIChatBody(Parameters, kw_only=True):
    """OpenAI's names; the last of the messages is the user's, or a tool's."""

    messages: Annotated[list[PostedMessage], _COUNT]


class ChatBody(Parameters):
    """Either `question`, or `messages` of which the last is the user's, or a tool's."""

    messages: Annotated[list[PostedMessage], _COUNT] | None = None
    question: Question | None = None
    parameters: Parameters | None = None
