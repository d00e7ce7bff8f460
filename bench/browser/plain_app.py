"""What a chat page on Streamlit usually is: st.write_stream of what the upstream sends."""

import json
import os
import urllib.request
from collections.abc import Iterator

import streamlit as st


def pieces(question: str) -> Iterator[str]:
    """Yield the text of each chunk."""
    body = {"stream": True, "messages": [{"role": "user", "content": question}]}
    request = urllib.request.Request(os.environ["PLAIN_UPSTREAM"], json.dumps(body).encode())
    with urllib.request.urlopen(request) as answer:
        for line in answer:
            if line.startswith(b"data: {"):
                choices = json.loads(line[6:])["choices"]
                yield choices[0]["delta"].get("content", "")


if question := st.chat_input():
    with st.chat_message("user"):
        st.write(question)
    with st.chat_message("assistant"):
        st.write_stream(pieces(question))
