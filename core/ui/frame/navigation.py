"""The page somebody chose stays chosen, whatever else the session runs in the same moment.

Streamlit 1.67's inner parts are changed here, in `presses` and in `lean_drawing`, and nowhere else
under core/ui.
"""

from dataclasses import replace
from typing import Any

from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils import script_requests

from core.ui.frame import presses

_request_rerun = script_requests.ScriptRequests.request_rerun


def claim_navigation() -> None:
    """Have every address lead through app.py, and no redrawn part take back a page's choice.

    Until st.navigation has run once, Streamlit takes pages/ for a multipage app of the old kind and
    runs /images without the frame.
    """
    PagesManager.uses_pages_directory = False
    requests = script_requests.ScriptRequests
    requests.request_rerun = _rerun_on_chosen_page  # type: ignore[assignment,method-assign]


def _rerun_on_chosen_page(
    requests: script_requests.ScriptRequests, new: script_requests.RerunData
) -> bool:
    """Take a request as Streamlit does, but leave a waiting one its page if nobody chose `new`'s.

    The browser asks again and again for a part that redraws itself, under the page it shows, and a
    run asks for its own page to be drawn anew (`st.rerun`: an answer has ended, or has got its
    title). Such a request comes after the click on another page and before that page's run has
    begun: Streamlit makes one of the two, by the newer one's page, and the click has done nothing.
    """
    waiting: Any = requests._rerun_data
    is_of_a_part = bool(new.fragment_id or new.fragment_id_queue)
    # A part's own request that waits is no choice of a page.
    has_chosen = not (waiting.fragment_id or waiting.fragment_id_queue)
    if (
        requests._state is script_requests.ScriptRequestType.RERUN
        and has_chosen
        and waiting.page_script_hash != new.page_script_hash
        and (is_of_a_part or _asks_for_its_own_page(new))
    ):
        new = replace(
            new,
            page_script_hash=waiting.page_script_hash,
            page_name=waiting.page_name,
            query_string=waiting.query_string,
            is_history_navigation=waiting.is_history_navigation,
        )
    has_taken = _request_rerun(requests, new)
    presses.ring(requests)
    return has_taken


def _asks_for_its_own_page(new: script_requests.RerunData) -> bool:
    """Tell whether the run that is under way in this thread wants its page drawn once more.

    What the browser asks for comes on the server's thread, where nothing runs.
    """
    run = get_script_run_ctx()
    return run is not None and run.page_script_hash == new.page_script_hash
