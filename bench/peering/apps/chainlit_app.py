"""A chat page on Chainlit, as its guide writes it: a message whose tokens are streamed."""

import chainlit as cl
import httpx

from bench.peering.apps.upstream import pieces_async

client = httpx.AsyncClient()


@cl.on_message
async def answer(_question: cl.Message) -> None:
    """Stream the answer to what has been said so far, the question among it."""
    said = cl.Message(content="")
    async for piece in pieces_async(client, cl.chat_context.to_openai()):
        await said.stream_token(piece)
    await said.update()
