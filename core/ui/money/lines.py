"""The ledger's lines as a table: filtered, leafed through, linked, taken along."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import streamlit as st

from core.models.money.ledger import LINE_KINDS, LedgerLine
from core.storage.money.filters import LedgerFilter
from core.storage.money.ledger import Ledger
from core.ui import clock, pager, session
from core.ui.buttons import download
from core.ui.formats import moment
from core.ui.money.words import caller_words, line_words, link_to
from core.ui.session import text
from core.work.money.export import csv_pieces, line_fields

PAGE = 20
_KIND_KEY, _ORIGIN_KEY = "money-kind", "money-origin"


def draw(wanted: LedgerFilter) -> None:
    """Draw filters, lines and the ways to take them along."""
    wanted = _draw_filters(wanted)
    ledger = session.studio().store.ledger
    page = ledger.list(wanted, limit=PAGE, cursor=pager.cursor("ledger"))
    if not page.items:
        st.caption(text("money.nothing_here"))
        return
    st.dataframe(
        _rows(page.items),
        hide_index=True,
        width="stretch",
        column_config={
            text("money.head_link"): st.column_config.LinkColumn(display_text=text("money.open"))
        },
    )
    pager.draw("ledger", page.next_cursor, place="below")
    with st.container(horizontal=True):
        stamp = clock.today()
        download(
            "money.csv",
            "ledger-csv",
            lambda: "".join(csv_pieces(ledger.every(wanted))),
            f"inkling-ledger-{stamp}.csv",
            "text/csv",
        )
        download(
            "money.json",
            "ledger-json",
            lambda: "".join(_json_pieces(ledger, wanted)),
            f"inkling-ledger-{stamp}.json",
            "application/json",
        )


def _draw_filters(wanted: LedgerFilter) -> LedgerFilter:
    with st.container(horizontal=True):
        kind = st.pills(
            text("money.filter_kind"),
            LINE_KINDS,
            format_func=lambda one: text(f"money.kind_{one}"),
            label_visibility="collapsed",
            key=_KIND_KEY,
            on_change=pager.begin_again,
            args=("ledger",),
        )
        origin = st.pills(
            text("money.filter_origin"),
            ("page", "http"),
            format_func=lambda one: text(f"money.origin_{one}"),
            label_visibility="collapsed",
            key=_ORIGIN_KEY,
            on_change=pager.begin_again,
            args=("ledger",),
        )
    kinds = [kind] if kind else None
    return replace(wanted, kinds=kinds, origin=origin)


def _rows(lines: tuple[LedgerLine, ...]) -> list[dict[str, Any]]:
    return [
        {
            text("money.head_at"): moment(line.at),
            text("money.head_kind"): text(f"money.kind_{line.kind}"),
            text("money.head_model"): line.model,
            text("money.head_amount"): line_words(line),
            text("money.head_state"): text(f"money.state_{line.state}"),
            text("money.head_tokens"): _quantity(line),
            text("money.head_who"): caller_words(line.caller),
            text("money.head_link"): _link(line),
        }
        for line in lines
    ]


def _quantity(line: LedgerLine) -> str:
    if line.completion is not None:
        return f"{(line.hit or 0) + (line.miss or 0):,} → {line.completion:,}"
    if line.units is not None:
        return text("money.units", units=f"{line.units.normalize():f}")
    return ""


def _link(line: LedgerLine) -> str | None:
    if line.generation_id is not None:
        return link_to("gallery", g=line.generation_id)
    if line.conversation_id is not None:
        return link_to("", c=line.conversation_id, m=line.message_id)
    return None


def _json_pieces(ledger: Ledger, wanted: LedgerFilter) -> Iterator[str]:
    yield '{"lines": ['
    for number, line in enumerate(ledger.every(wanted)):
        yield ("," if number else "") + msgspec.json.encode(line_fields(line)).decode()
    yield "]}"
