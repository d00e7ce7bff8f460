"""Styles of the frame where no setting of Streamlit says it: focus, touch, motion, contrast.

Names of parts are Streamlit 1.67's; where one is gone, its line does nothing.
No angle bracket may open within: what cleans HTML for the page drops a style that looks like tags.
"""

import streamlit as st

# 3:1 and more on every background of both themes.
_RING = "#b4493a"
_SELECTED = '.stButtonGroup :is([aria-checked="true"], [aria-pressed="true"])'
# Kinds of words in code by the colours they have; Streamlit's are as faint as 3:1 in both themes.
_CODE = {
    ".keyword, .tag, .function, .class-name, .selector, .builtin": "#0b57a4, #6ab0f3",
    ".attr-name, .property, .variable, .key": "#00607f, #6cc7e8",
    ".boolean, .constant, .symbol, .string, .char, .attr-value": "#14663f, #7fd3a2",
    ".number, .regex": "#006661, #5fd3c8",
    ".operator, .entity, .decorator, .atrule": "#8f4600, #f0ac6b",
    ".url": "#6a3fb0, #c3a6f5",
    ".important": "#a8201a, #ff9d94",
    ".comment, .prolog, .doctype, .cdata, .punctuation": "#575b60, #a9aeb3",
}
_CODE_COLOURS = "\n".join(
    f".stCode .token:is({words}) {{ color: light-dark({colours}); }}"
    for words, colours in _CODE.items()
)
# Places of scripts, which are not seen: beside other parts each would still take a gap.
_UNSEEN = ("browser", "shortcuts", "copying", "pictures-script-place")
_SCRIPTS = ", ".join(f".st-key-{key}" for key in _UNSEEN)
_STYLE = f"""<style>
[data-testid="stLayoutWrapper"]:has(> :is({_SCRIPTS})) {{ position: absolute; }}

/* Streamlit's own ring is a tint that can hardly be seen; boxes to write in have a border. */
.stApp :is(a, button, summary, [role="tab"], [role="option"]):focus-visible,
.stApp label:has(input:is([type="checkbox"], [type="radio"]):focus-visible) {{
    outline: 2px solid {_RING}; outline-offset: 2px;
}}
.stApp .stMain:focus-visible {{ outline: 2px solid {_RING}; outline-offset: -2px; }}

/* The accent on its own tint is 3.8:1 in the dark theme: the words are the text's colour there. */
.stApp :is({_SELECTED}, [data-testid="stSliderThumbValue"] p) {{ color: inherit; }}

{_CODE_COLOURS}

/* What a finger meets is 44 px. */
@media (pointer: coarse) {{
    .stApp :is(button, summary, [data-testid="stSidebarNavLink"],
        [data-testid="stPageLink-NavLink"], [data-testid^="stBaseLinkButton"]) {{
        min-height: 2.75rem; min-width: 2.75rem;
    }}
}}

@media (prefers-reduced-motion: reduce) {{
    .stApp *, .stApp *::before, .stApp *::after {{
        animation-duration: 0.01ms; animation-iteration-count: 1; transition-duration: 0.01ms;
        scroll-behavior: auto;
    }}
}}
</style>"""


def draw() -> None:
    """Put the styles on the page."""
    st.html(_STYLE)
