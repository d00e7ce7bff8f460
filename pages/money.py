"""费用 Money: what was spent and on what, against which limit, and what is left."""

import streamlit as st

from core.access.owners import LOCAL_OWNER
from core.errors import AppError
from core.ui import notices, session
from core.ui.money import balances, breakdown, budgets, lines, overview
from core.ui.session import text
from core.work.money.report import Reports

studio = session.studio()
session.enter_page("money")
if session.is_trusted():
    notices.all_problems()
notices.news()

st.title(text("money.title"), anchor=False)
# Whoever runs the studio sees what all of it costs; everybody else their own lines.
owner = None if session.owner() == LOCAL_OWNER else session.owner()
reports = Reports(studio.store.ledger, studio.spending.prices)
try:
    overview.draw(reports, owner)
    budgets.draw()
    wanted = breakdown.draw_span(owner)
    if not reports.totals(wanted):
        st.info(text("money.empty"), icon=":material/receipt_long:")
    else:
        breakdown.draw_days(reports, wanted)
        breakdown.draw_savings(reports, wanted)
        breakdown.draw_tables(reports, wanted)
        lines.draw(wanted)
    balances.draw()
except AppError as error:
    session.show_error(error)
