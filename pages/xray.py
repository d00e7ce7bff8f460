"""透视 X-ray: what went over the wire between the studio and the providers, masked."""

import streamlit as st

from core.ui import session
from core.ui.session import text
from core.ui.xray import detail, listing, tours

session.enter_page("xray")
st.title(text("xray.title"), anchor=False)
st.caption(text("xray.what"))
if not listing.may_look():
    st.info(text("xray.owner_only"), icon=":material/lock:")
elif not session.studio().xray.is_on:
    st.info(text("xray.off"), icon=":material/visibility_off:")
else:
    tours.draw()
    chosen = listing.draw()
    if chosen is not None:
        detail.draw(chosen)
