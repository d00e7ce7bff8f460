"""Passes on the Status page: one-time links with a QR code, the list of passes, revoking them."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import segno
import streamlit as st

from core.access.invitations import Invitation
from core.access.passes import NAME_LENGTH, Pass
from core.errors import StoreError
from core.ui import formats, reachable, session
from core.ui.buttons import button
from core.ui.frame import copying
from core.ui.session import text

_NAME_KEY = "way-in-name"
_OPEN_TO_THE_NETWORK = "streamlit run app.py --server.address 0.0.0.0"


def may_manage() -> bool:
    """Tell whether this session may let others in, and take passes back.

    The owner's machine may; elsewhere only who came in by the link of the console, which stands in
    for it where nobody can be "here". A person who signed in has rows of their own, and a pass
    would open the owner's.
    """
    if not reachable.is_http_served():
        return False
    standing = session.visitor().standing
    if standing == "pass":
        own = session.own_pass()
        return own is not None and own.manages
    return standing == "here"


def draw() -> None:
    """Draw how another device gets in, and who is in."""
    with st.container(border=True):
        st.markdown(f"**{text('way_in.title')}**")
        try:
            _draw_link()
            _draw_passes()
        except StoreError as error:
            session.show_error(error)


def _draw_link() -> None:
    bases = reachable.bases(st.context.url)
    if not bases:
        is_here_only = reachable.listens_here_only()
        st.caption(text("way_in.here_only" if is_here_only else "way_in.no_address"))
        if is_here_only:
            copying.draw_box(_OPEN_TO_THE_NETWORK, text("copy.lines"), is_code=True)
            return
    st.caption(text("way_in.what"))
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.text_input(text("way_in.name"), text("way_in.phone"), max_chars=NAME_LENGTH, key=_NAME_KEY)
    with row:
        button("way_in.make", "add_link", "way-in-make", _make)
    if (made := session.state().invitation) is not None:
        _draw_invitation(made, bases)


def _make() -> None:
    name = st.session_state.get(_NAME_KEY)
    if name is None:  # the page is gone, and the field with it
        return
    try:
        session.state().invitation = session.studio().invitations.make(name)
    except StoreError as error:
        session.state().notice = session.error_text(error)


def _draw_invitation(made: Invitation, bases: tuple[str, ...]) -> None:
    if not session.studio().invitations.is_open(made):
        session.state().invitation = None
        st.info(text("way_in.over"), icon=":material/link_off:")
        return
    base = _chosen(bases)
    if base is None:
        st.code(reachable.entrance("", made.code), language=None, wrap_lines=True)
    else:
        link = reachable.entrance(base, made.code)
        # Black on white in both themes: many cameras read nothing else.
        picture = segno.make(link, error="m", micro=False)
        st.image(picture.svg_inline(scale=5, border=4, dark="#000", light="#fff"), width=240)
        st.code(link, language=None, wrap_lines=True)
    ends = datetime.fromtimestamp(made.expires_at, UTC)
    st.caption(text("way_in.good_until", name=_plain(made.name), at=formats.moment(ends)))


def _chosen(bases: tuple[str, ...]) -> str | None:
    if len(bases) < 2:
        return next(iter(bases), None)
    return st.segmented_control(
        text("way_in.address"),
        bases,
        default=bases[0],
        required=True,
        format_func=lambda base: urlsplit(base).netloc,
        key="way-in-address",
    )


def _draw_passes() -> None:
    passes = session.studio().passes.valid()
    if not passes:
        return
    own = session.own_pass()
    st.caption(text("way_in.list"))
    for one in passes:
        _draw_pass(one, is_own=own is not None and own.id == one.id)


def _draw_pass(one: Pass, *, is_own: bool) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    facts = {
        "name": _plain(one.name),
        "made": formats.moment(datetime.fromtimestamp(one.made_at, UTC)),
        "used": formats.moment(datetime.fromtimestamp(one.used_at, UTC)),
    }
    with row.container(width="stretch"):
        st.markdown(text("way_in.own" if is_own else "way_in.name_is", **facts))
        st.caption(text("way_in.by_token" if one.token else "way_in.by_link", **facts))
    row.button(
        text("way_in.revoke"),
        key=f"revoke-{one.id}",
        icon=":material/block:",
        on_click=_revoke,
        args=(one.id,),
    )


def _revoke(pass_id: str) -> None:
    try:
        session.studio().passes.revoke(pass_id)
    except StoreError as error:
        session.state().notice = session.error_text(error)


def _plain(name: str) -> str:
    return formats.code_span(name)
