"""The draft of the form: what a reload of the page would lose, kept by the browser's tab."""

from typing import Any, cast, get_args

import streamlit as st

from core.models.generations import AspectRatio, ImageRequest, Resolution
from core.ui import session
from core.ui.generations import form, options
from core.ui.generations.kinds import table

_PLAIN = {
    "way": str,
    "prompt": str,
    "negative": str,
    "model": str,
    "ratio": str,
    "resolution": str,
    "n": int,
}


def of_form() -> dict[str, Any]:
    """Return what the form holds, for the browser to keep; `is_fresh` where nobody wrote yet.

    `of`: whose it is, since one tab may see several owners; strangers are new ones with each load.
    """
    held = {name: options.value(name) for name in options.KEYS if name in _PLAIN}
    held["way"] = table.chosen()
    fresh = not session.state().draft_taken
    of = session.owner_mark() if session.is_trusted() else "visitor"
    return {"of": of, "held": held, "is_fresh": fresh}


def take(written: object) -> None:
    """Fill the form with what the browser kept, as far as it is still something to ask for."""
    known = session.state()
    if known.draft_taken or not isinstance(written, dict):
        return
    known.draft_taken = True
    kept = {
        name: value
        for name, value in written.items()
        if name in _PLAIN and isinstance(value, _PLAIN[name])
    }
    if st.session_state.get(options.KEYS["prompt"]) or not kept:
        return
    ratio, resolution = kept.get("ratio"), kept.get("resolution")
    form.fill(
        ImageRequest(
            str(kept.get("prompt", "")),
            model_name=str(kept.get("model", "")),
            negative_prompt=str(kept.get("negative", "")),
            aspect_ratio=cast(AspectRatio, ratio if ratio in get_args(AspectRatio) else "1:1"),
            resolution=cast(Resolution, resolution if resolution in get_args(Resolution) else "1k"),
            n=min(9, max(1, int(str(kept.get("n", 1))))),
        ),
        way=str(kept.get("way", "")),
    )
