"""The page of codes: what DeepSeek, HTTP and Kling say with a number, and what helps."""

import streamlit as st

from core.ui import session
from core.ui.session import text
from core.work.checkup.codes import codes_named

PARAMETER = "code"  # in the address: the code that a refusal leads here with
_KEY, _FOLD_KEY = "codes-wanted", "codes-fold"


def draw() -> None:
    """Draw the table, folded; open where the address names a code."""
    asked = st.query_params.get(PARAMETER, "")
    if asked and _KEY not in st.session_state:
        st.session_state[_KEY], st.session_state[_FOLD_KEY] = asked, True
    fold = st.expander(
        text("checkup.codes"), icon=":material/tag:", key=_FOLD_KEY, on_change="rerun"
    )
    if not fold.open:  # what is closed would be sent all the same
        return
    with fold:
        words = st.text_input(
            text("checkup.look_up"), max_chars=6, placeholder="1102", key=_KEY, width=200
        )
        found = codes_named(words)
        if not found:
            st.info(text("checkup.no_such_code"))
            return
        language = session.language()
        if words.strip():  # a few: as sentences, which a narrow screen breaks into lines
            for one in found:
                st.markdown(f"**{_shown(one.service, one.code, one.status)}**")
                st.markdown(one.meaning(language))
                st.markdown(text("checkup.do", words=one.what_to_do(language)))
            return
        st.table(  # whose words break into lines, also on a phone
            [
                {
                    text("checkup.code"): _shown(one.service, one.code, one.status),
                    text("checkup.meaning"): one.meaning(language),
                    text("checkup.cure"): one.what_to_do(language),
                }
                for one in found
            ],
            hide_index=True,
        )


def _shown(service: str, code: int, status: int) -> str:
    if service == "chat":
        return text("checkup.code_chat", status=status)
    return text("checkup.code_kling", code=code, status=status)
