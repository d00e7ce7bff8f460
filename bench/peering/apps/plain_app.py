"""A chat page on Streamlit's ASGI app, as its tutorial writes it: `st.write_stream`."""

import httpx
import streamlit as st

from bench.peering.apps.upstream import pieces


@st.cache_resource
def client() -> httpx.Client:
    """Return the one client of this process."""
    return httpx.Client()


if __name__ == "__main__":
    messages = st.session_state.setdefault("messages", [])
    for message in messages:
        with st.chat_message(message["role"]):
            st.markdown(message["content"])
    if question := st.chat_input("…"):
        messages.append({"role": "user", "content": question})
        with st.chat_message("user"):
            st.markdown(question)
        with st.chat_message("assistant"):
            answer = st.write_stream(pieces(client(), messages))
        messages.append({"role": "assistant", "content": answer})
else:
    app = st.App(__file__)
