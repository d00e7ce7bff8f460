"""The page somebody chose stays chosen, whatever else the session runs in the same moment.

Streamlit 1.67's inner parts are changed here and nowhere else under core/ui.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils import script_requests

_request_rerun = script_requests.ScriptRequests.request_rerun
_taken_at_start = script_requests.ScriptRequests.on_scriptrunner_ready
_taken_on_the_way = script_requests.ScriptRequests.on_scriptrunner_yield
# Which page was asked for by the request that each runner took last: its run is for that.
_asked: WeakKeyDictionary[script_requests.ScriptRequests, str] = WeakKeyDictionary()


def claim_navigation() -> None:
    """Have every address lead through app.py, and no redrawn part take back a page's choice.

    Until st.navigation has run once, Streamlit takes pages/ for a multipage app of the old kind and
    runs /images without the frame.
    """
    PagesManager.uses_pages_directory = False
    requests = script_requests.ScriptRequests
    requests.request_rerun = _rerun_on_chosen_page  # type: ignore[assignment,method-assign]
    requests.on_scriptrunner_ready = _noting(_taken_at_start)  # type: ignore[method-assign]
    requests.on_scriptrunner_yield = _noting(_taken_on_the_way)  # type: ignore[method-assign]


def _noting(take: Callable[[script_requests.ScriptRequests], Any]) -> Callable[..., Any]:
    """Return a way to take the next request that notes the page it is for."""

    def taking(requests: script_requests.ScriptRequests) -> Any:
        taken = take(requests)
        if taken is not None and taken.type is script_requests.ScriptRequestType.RERUN:
            _asked[requests] = taken.rerun_data.page_script_hash
        return taken

    return taking


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
    if (
        requests._state is script_requests.ScriptRequestType.RERUN
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
    return _request_rerun(requests, new)


def _asks_for_its_own_page(new: script_requests.RerunData) -> bool:
    """Tell whether the run that is under way in this thread wants its page drawn once more.

    What the browser asks for comes on the server's thread, where nothing runs.
    """
    run = get_script_run_ctx()
    return run is not None and run.page_script_hash == new.page_script_hash


def keep_to_page_asked_for() -> None:
    """Draw the page that this run is for, whatever another run of the session has noted since.

    Streamlit notes the page in one place for all runs of a session (`PagesManager`, from which the
    context's `page_script_hash` is read, too), and a run that was told to end may begin once more
    beside its successor. An answer's end or its title draws the page anew; whoever chose another
    page in that very moment would have stayed on this one. Nor does what waits to be taken count: a
    part of the page before may ask to redraw itself until the browser has heard of the new one.
    """
    run = get_script_run_ctx()
    if run is None or run.script_requests is None:
        return
    # A first visit comes with the page's address alone, and no other run is there before it.
    if asked := _asked.get(run.script_requests, ""):
        run.pages_manager.set_script_intent(asked, "")
