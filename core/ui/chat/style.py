"""Styles of what a model wrote, where neither Markdown nor a setting of Streamlit says it.

Each goes with a mark that `core/markdown` leaves in the text. Names of parts are Streamlit 1.67's.
No angle bracket may open within: what cleans HTML for the page drops a style that looks like tags.
"""

import streamlit as st

from core.markdown.rendering import DIAGRAM_SOURCE

_TEXT = '[data-testid="stMarkdownContainer"]'
_PRE = '[data-testid="stMarkdownPre"]'
# The mark of a block that runs from the right: a directive without content (markdown/direction).
_MARK = "> .stMarkdownShimmer:empty"
_FIRST = f"li:first-child:is(:has({_MARK}), :has(> p:first-child {_MARK}))"
_STYLE = f"""<style>
/* A break in a cell or a heading is a line end in its text (markdown/line_breaks). */
{_TEXT} :is(td, th, [data-heading-text]) {{ white-space: pre-line; }}

/* Each block by its own text; a list, a quote and a table by the first of theirs. */
{_TEXT} :is(p, li, ul, ol, td, th, table, blockquote) {{ direction: ltr; }}
{_TEXT} :is(
    :is(p, li, td, th):has({_MARK}),
    li:has(> p:first-child {_MARK}),
    :is(h1, h2, h3, h4, h5, h6):has(> [data-heading-text] {_MARK}),
    :is(ul, ol):has(> {_FIRST}),
    blockquote:has(> p:first-child {_MARK}),
    table:has(tr:first-child > :first-child {_MARK})
) {{ direction: rtl; text-align: start; }}
{_TEXT} li:not(.task-list-item):is(:has({_MARK}), :has(> p:first-child {_MARK})) {{
    margin-inline: 1.15em 0; padding-inline: 0.3em 0;
}}
{_TEXT} table:has(tr:first-child > :first-child {_MARK}) {{ margin-inline: 0 auto; }}
{_TEXT} blockquote:has(> p:first-child {_MARK}) {{
    border-left: none; border-right: 2px solid color-mix(in srgb, currentColor 20%, transparent);
    padding-inline: 0.75rem 0;
}}
{_TEXT} :is(code, .katex) {{ direction: ltr; unicode-bidi: isolate; }}
{_TEXT} {_PRE} {{ direction: ltr; text-align: left; }}

/* A formula that cannot be drawn is its source, without the library's alarm. */
{_TEXT} .katex-error {{ color: inherit !important; }}

/* A diagram, or where the library cannot draw it its source (markdown/rendering). */
{_PRE}:has([data-testid="stMermaidError"]),
{_PRE}:has([data-testid="stMermaidChart"] img) + {_PRE}:has(.language-{DIAGRAM_SOURCE}) {{
    display: none;
}}
</style>"""


def draw() -> None:
    """Put the styles on the page."""
    st.html(_STYLE)
