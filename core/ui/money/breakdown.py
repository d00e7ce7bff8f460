"""Where the money went: by day, model, spender and way, the dearest, what cache and hours did."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from core.markdown.escaping import literal
from core.models.money.ledger import LedgerLine
from core.models.money.periods import period_start, zone_of
from core.storage.money.filters import LedgerFilter
from core.storage.money.sums import Sums
from core.ui import session
from core.ui.formats import code_span
from core.ui.money.words import amount_words, caller_words, line_words, link_to
from core.ui.session import text
from core.work.money.report import DEAREST, Reports

_INK = "#a83a2e"  # the theme's own
_MOST_BARS = 35
SPANS = ("month", "last_month", "30_days", "year")
_SPAN_KEY = "money-span"


def draw_span(owner: str | None) -> LedgerFilter:
    """Draw the choice of a span; return the filter of what is to be shown."""
    with st.container(horizontal=True, vertical_alignment="center"):
        span = st.segmented_control(
            text("money.span"),
            SPANS,
            default="month",
            required=True,
            format_func=lambda one: text(f"money.span_{one}"),
            label_visibility="collapsed",
            key=_SPAN_KEY,
        )
    start, end = span_bounds(span or "month", datetime.now(UTC))
    return LedgerFilter(owner=owner, start=start, end=end)


def span_bounds(span: str, now: datetime) -> tuple[datetime, datetime | None]:
    """Return where a span begins and ends, by the owner's zone."""
    zone = session.studio().store.ledger.plan.zone
    month = period_start("month", now, zone)
    match span:
        case "last_month":
            return period_start("month", month - timedelta(seconds=1), zone), month
        case "30_days":
            return period_start("day", now - timedelta(days=29), zone), None
        case "year":
            there = now.astimezone(zone_of(zone))
            return datetime(there.year, 1, 1, tzinfo=zone_of(zone)).astimezone(UTC), None
        case _:
            return month, None


def draw_days(reports: Reports, wanted: LedgerFilter) -> None:
    """Draw what each day cost, or each month of a long span, a chart for each currency."""
    days = reports.days(wanted)
    calendar = reports.calendar(wanted, datetime.now(UTC))
    # As words: an axis of dates is labelled in English, whoever reads.
    is_long = len(calendar) > _MOST_BARS
    title, form = ("money.by_month", "%Y-%m") if is_long else ("money.by_day", "%m-%d")
    for currency in dict.fromkeys(one.currency for one in days):
        label = text(title, currency=_currency_words(currency))
        bars = dict.fromkeys((day.strftime(form) for day in calendar), 0.0)
        for one in days:
            if one.currency == currency:
                name = one.day.strftime(form)
                bars[name] = bars.get(name, 0.0) + float(one.amount)
        rows = {text("money.day"): list(bars), label: list(bars.values())}
        st.caption(label)
        st.bar_chart(
            rows, x=text("money.day"), y=label, height=200, x_label="", y_label="", color=_INK
        )


def draw_tables(reports: Reports, wanted: LedgerFilter) -> None:
    """Draw sums by model, spender and way, and what cost most."""
    models, who, ways, dearest = st.tabs(
        [text(f"money.tab_{name}") for name in ("models", "who", "ways", "dearest")]
    )
    with models:
        _draw_sums(reports.by(wanted, "model", "kind"), _model_words)
    with who:
        _draw_sums(reports.by(wanted, "caller"), lambda one: literal(caller_words(one.by[0])))
    with ways:
        _draw_sums(reports.by(wanted, "origin"), lambda one: text(f"money.origin_{one.by[0]}"))
    with dearest:
        _draw_dearest(reports, wanted)


def draw_savings(reports: Reports, wanted: LedgerFilter) -> None:
    """Say what the cache saved, and what later would have saved."""
    for one in reports.savings(wanted):
        facts = {
            "share": f"{one.hit_share * 100:.0f}",
            "amount": amount_words(one.saved_by_cache, one.currency),
        }
        parts = [text("money.cache_saved", **facts)]
        if one.saved_by_waiting:
            parts.append(
                text(
                    "money.later_saves",
                    share=f"{one.peak_share * 100:.0f}",
                    amount=amount_words(one.saved_by_waiting, one.currency),
                )
            )
        st.caption(" ".join(map(literal, parts)))


def _currency_words(currency: str) -> str:
    return text("money.practice_name") if currency == "PRACTICE" else currency


def _model_words(one: Sums) -> str:
    model, kind = one.by
    return f"{code_span(model) if model else text('money.unknown')} · {text(f'money.kind_{kind}')}"


def _draw_sums(sums: Sequence[Sums], name: "object") -> None:
    assert callable(name)
    if not sums:
        st.caption(text("money.nothing_here"))
        return
    rows = [
        (
            name(one),
            text("money.of_unknown", count=one.unknown)
            if one.unknown == one.lines
            else literal(amount_words(one.amount, one.currency)),
            f"{one.lines:,}",
            f"{one.hit + one.miss:,} → {one.completion:,}" if one.completion else "–",
        )
        for one in sums
    ]
    heads = [text(f"money.head_{key}") for key in ("name", "amount", "calls", "tokens")]
    st.markdown(_table(heads, rows))


def _draw_dearest(reports: Reports, wanted: LedgerFilter) -> None:
    studio, lines = session.studio(), []
    for one in reports.dearest_conversations(wanted):
        conversation = studio.store.conversations.get(session.owner(), one.by[0] or "")
        title = conversation.title if conversation is not None else text("money.gone")
        title = literal(title or text("money.untitled"))
        if conversation is not None:
            title = f"[{title}]({link_to('', c=conversation.id)})"
        lines.append((title, literal(amount_words(one.amount, one.currency))))
    pictures = [line for line in _dearest_pictures(wanted) if line.amount]
    lines += [
        (
            f"[{code_span(line.model)}]({link_to('gallery', g=line.generation_id)})",
            literal(line_words(line)),
        )
        for line in pictures
    ]
    if not lines:
        st.caption(text("money.nothing_here"))
        return
    st.markdown(_table([text("money.head_name"), text("money.head_amount")], lines))


def _dearest_pictures(wanted: LedgerFilter) -> tuple[LedgerLine, ...]:
    return session.studio().store.ledger.dearest(wanted, "image", limit=DEAREST)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines
    )
