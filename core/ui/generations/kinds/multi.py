"""The form of a multi-image picture: each picture is a subject, the scene, or the style."""

import hashlib
from collections.abc import Mapping
from typing import Literal, cast

import streamlit as st

from core.models.generations import ReferenceImage
from core.models.kling_catalogue import ALL_RATIOS
from core.models.pictures.multi import SUBJECTS_MOST, MultiRequest
from core.ui import session
from core.ui.generations import choices
from core.ui.generations.kinds import pictures
from core.ui.generations.options import KEYS as SHARED
from core.ui.session import text

Role = Literal["subject", "scene", "style"]
ROLES: tuple[Role, ...] = ("subject", "scene", "style")
KEYS = {name: f"multi-{name}" for name in ("ratio", "n")}
_PICTURES_MOST = SUBJECTS_MOST + 2


def draw(taken: frozenset[str]) -> None:
    """Draw the pictures with their roles, and the options."""
    with st.container(border=True):
        pictures.draw(_PICTURES_MOST, _name_of)
        st.caption(text("images.multi_help", most=SUBJECTS_MOST))
        for place, picture in enumerate(pictures.current(_PICTURES_MOST)):
            st.segmented_control(
                text("images.multi_role", name=_name_of(place)),
                ROLES,
                default=None if _role_key(picture) in st.session_state else "subject",
                required=True,
                format_func=lambda role: text(f"images.multi_{role}"),
                key=_role_key(picture),
                persist_state="session",
            )
        choices.draw_ratio(KEYS["ratio"], ALL_RATIOS, "1:1", is_taken=KEYS["ratio"] in taken)
        choices.draw_count(KEYS["n"], is_taken=KEYS["n"] in taken)


def asked() -> tuple[MultiRequest, tuple[ReferenceImage, ...]]:
    """Return what the form asks for, its pictures in the order of their roles."""
    of_role: dict[Role, list[ReferenceImage]] = {role: [] for role in ROLES}
    for picture in pictures.current(_PICTURES_MOST):
        of_role[_role(picture)].append(picture)
    # Kling takes one scene and one style: the last that was given the role.
    scene, style = of_role["scene"][-1:], of_role["style"][-1:]
    ratio = st.session_state.get(KEYS["ratio"])
    request = MultiRequest(
        prompt=str(st.session_state.get(SHARED["prompt"]) or ""),
        aspect_ratio=ratio if ratio in ALL_RATIOS else "1:1",
        n=int(cast(int, st.session_state.get(KEYS["n"]) or 1)),
        subject_count=len(of_role["subject"]),
        has_scene=bool(scene),
        has_style=bool(style),
    )
    return request, (*of_role["subject"], *scene, *style)


def values(wanted: MultiRequest, references: tuple[ReferenceImage, ...]) -> Mapping[str, object]:
    """Return what the inputs hold for a request."""
    session.state().pictures = references
    roles: list[Role] = ["subject"] * wanted.subject_count
    roles += ["scene"] * wanted.has_scene
    roles += ["style"] * wanted.has_style
    held: dict[str, object] = {KEYS["ratio"]: wanted.aspect_ratio, KEYS["n"]: wanted.n}
    return held | {_role_key(one): role for one, role in zip(references, roles, strict=False)}


def facts(request: MultiRequest) -> list[tuple[str, str]]:
    """Return what the large view tells of a request besides what all have."""
    told = [(text("images.multi_subjects"), str(request.subject_count))]
    if request.has_scene:
        told.append((text("images.multi_scene"), text("gallery.yes")))
    if request.has_style:
        told.append((text("images.multi_style"), text("gallery.yes")))
    return told


def _name_of(place: int) -> str:
    return text("images.multi_name", number=place + 1)


def _role_key(picture: ReferenceImage) -> str:
    # By its bytes: a role stays with its picture when another is taken out.
    return f"multi-role-{hashlib.sha256(picture.content).hexdigest()[:12]}"


def _role(picture: ReferenceImage) -> Role:
    role = st.session_state.get(_role_key(picture))
    return role if role in ROLES else "subject"
