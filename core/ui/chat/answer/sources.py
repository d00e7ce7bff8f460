"""Sources of an answer: the pages that its question brought along, as chips, each a plain link.

What a page says of itself is shown as text, whose it is as its address says; nothing of it is
loaded, and nothing happens but what a person presses.
"""

from html import escape

import streamlit as st

from core.errors import AppError
from core.markdown.escaping import literal
from core.models.chat import AnswerStatus, Conversation, Message
from core.models.money.ledger import LedgerLine
from core.models.parts import LookupKind, LookupPart, SourcePart, lookup_in, sources_in
from core.ui import session
from core.ui.buttons import keeping_errors
from core.ui.chat import settings as chat_settings
from core.ui.money.figures import look_price
from core.ui.money.words import amount_words, line_words
from core.ui.session import text
from core.wire.web.block import DATE_MOST, TITLE_MOST
from core.wire.web.washing import plain_address, plain_words, site_of

_REL = "noopener noreferrer nofollow"
_SHOWN_DATE = 10


def is_offered() -> bool:
    """Tell whether the web can be searched: DeepSeek does that, other servers do not."""
    try:
        client = session.studio().services.chat(session.owner()).client
    except AppError:
        return False
    return client.server.speaks_deepseek


def price_words(kind: LookupKind) -> str:
    """Return the price of a look in the reader's words."""
    held = look_price(kind)
    if held is None or held.line.amount is None:
        return text("money.unknown")
    return amount_words(held.line.amount, held.line.currency)


def open_look(question: Message | None, answer: Message) -> LookupPart | None:
    """Return the look for which an answer was not asked, since it brought nothing."""
    look = lookup_in(question.parts) if question is not None else None
    is_open = look is not None and look.state != "found"
    return look if is_open and answer.status is not AnswerStatus.COMPLETE else None


def draw(
    question: Message | None,
    answer: Message,
    conversation: Conversation,
    line: LedgerLine | None = None,
) -> None:
    """Draw the sources of a finished answer, what finding them cost, and the way to read one."""
    sources = sources_in(question.parts) if question is not None else ()
    sources += sources_in(answer.parts)  # that its tools found
    if not sources:
        return
    with st.container(key=f"sources-{answer.id}", gap="xsmall"):
        name = escape(text("chat.sources"))
        chips = "".join(_chip(number, one) for number, one in enumerate(sources, 1))
        st.html(f'<ol class="inkling-sources" aria-label="{name}">{chips}</ol>')
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            _draw_menu(sources, answer, conversation)
            if line is not None:
                words = text("chat.sources_cost", amount=line_words(line))
                st.caption(words.replace("$", "\\$"), width="content")


def _chip(number: int, source: SourcePart) -> str:
    # Washed once more: what was imported has not come through the provider's door.
    title = plain_words(source.title, TITLE_MOST, is_line=True)
    date = plain_words(source.date, DATE_MOST, is_line=True)[:_SHOWN_DATE]
    address = plain_address(source.url)
    site = site_of(source.url) if address is not None else "?"
    shown = " · ".join(filter(None, (site, date)))
    inner = (
        f'<b>{number}</b> <span dir="auto">{escape(title)}</span> <small>{escape(shown)}</small>'
    )
    if address is None:
        return f"<li><span>{inner}</span></li>"
    link = f'href="{escape(address)}" rel="{_REL}" target="_blank" referrerpolicy="no-referrer"'
    return f'<li><a {link} title="{escape(title)}">{inner}</a></li>'


def _draw_menu(
    sources: tuple[SourcePart, ...], answer: Message, conversation: Conversation
) -> None:
    readable = {
        str(number): f"{number} · {literal(site_of(one.url))}"
        for number, one in enumerate(sources, 1)
        if one.kind == "search" and plain_address(one.url) is not None
    }
    if not readable:
        return
    key = f"read-page-{answer.id}"
    st.menu_button(
        text("chat.read_page", amount=price_words("fetch")).replace("$", "\\$"),
        list(readable),
        format_func=readable.__getitem__,
        icon=":material/article:",
        type="tertiary",
        key=key,
        on_click=_read,
        args=(sources, conversation, key),
    )


@keeping_errors()
def _read(sources: tuple[SourcePart, ...], conversation: Conversation, key: str) -> None:
    studio, owner = session.studio(), session.owner()
    number = int(st.session_state[key])
    url = plain_address(sources[number - 1].url)
    if url is None:
        return
    fresh = studio.store.conversations.get(owner, conversation.id) or conversation
    studio.answers.read_page(
        owner,
        fresh,
        # By its address alone: a title is the page's own words, and this is the person's question.
        text("chat.read_page_question", number=number, site=site_of(url)),
        url,
        chat_settings.parameters_of(fresh),
        caller=session.caller(),
    )
