"""A chat page on Gradio, as its guide writes it: a `ChatInterface` over a generator."""

import os
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr
import httpx

from bench.peering.apps.upstream import pieces_async

client = httpx.AsyncClient()


async def answer(question: str, history: list[dict[str, Any]]) -> AsyncIterator[str]:
    """Yield the answer so far, as Gradio wants it."""
    messages = [{"role": one["role"], "content": _text(one["content"])} for one in history]
    messages.append({"role": "user", "content": question})
    text = ""
    async for piece in pieces_async(client, messages):
        text += piece
        yield text


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


if __name__ == "__main__":
    gr.ChatInterface(answer, analytics_enabled=False).launch(
        server_name="127.0.0.1", server_port=int(os.environ["PEERING_PORT"]), share=False
    )
