"""Request options of a chat beside its parameters: tools, output format, stops. Never stored.

Pages ask without any; programs bring them over HTTP, in OpenAI's shapes.
"""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """What is asked of one answer; empty leaves a field out of the request."""

    tools: tuple[Json, ...] = ()
    tool_choice: str | Json | None = None
    response_format: Json | None = None
    stop: tuple[str, ...] = ()
    logprobs: bool = False
    top_logprobs: int | None = None
    user_id: str | None = None  # tells end users apart: their cache, safety and scheduling
    effort: str | None = None  # the caller's own word, for servers that know more of them
    others: Json = field(default_factory=dict)  # OpenAI's own, for servers that have them

    @property
    def forces_tool(self) -> bool:
        """Whether some tool must be called."""
        return self.tool_choice == "required" or isinstance(self.tool_choice, Mapping)

    @property
    def json_schema(self) -> Json | None:
        """The schema format that the answer is to follow: its name, and `schema`."""
        form = self.response_format or {}
        schema: Json | None = form.get("json_schema")
        return schema if form.get("type") == "json_schema" else None

    def prompt(self) -> str:
        """Return what of it the model reads, and what so is billed as input."""
        read = [*self.tools, *filter(None, (self.response_format,))]
        if not read:
            return ""
        write = partial(json.dumps, read, ensure_ascii=False)
        try:
            return write()
        except RecursionError:
            # As deep as could be read, and read with fewer calls above it: a thread has none.
            with ThreadPoolExecutor(1) as thread:
                return thread.submit(write).result()


NO_OPTIONS = ChatOptions()
