"""What was pressed is done, one press after the other: no run is left half way into one.

The runs of a session follow one another in one thread (`runner.fastReruns` is off): of two beside
each other, one took back what the other had just noted. Streamlit 1.67's inner parts are changed
here, in `navigation` and in `lean_drawing`, and nowhere else under core/ui.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from streamlit import config
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException, StopException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.runtime.scriptrunner_utils.script_run_context import (
    RunLocation,
    ThreadState,
    get_run_yield_check,
)
from streamlit.runtime.state.safe_session_state import SafeSessionState

_look_for_requests = ScriptRunner._maybe_handle_execution_control_request
_here = threading.local()
_bells: WeakKeyDictionary[ScriptRequests, Callable[[], None]] = WeakKeyDictionary()


def _anybody() -> bool:
    return True


_may_press: Callable[[], bool] = _anybody


def judge_presses(may_press: Callable[[], bool]) -> None:
    """Ask before the callbacks of a request whether what was pressed was drawn for who sits there.

    A callback runs before the page is judged: whose pass was taken back while a page stood open
    had one press left on it. What may not be pressed is not done, and the page is drawn anew.
    """
    global _may_press
    _may_press = may_press


def finish_presses() -> None:
    """Have every press that a run was begun for take effect, however soon the next one comes.

    Streamlit looks for the next request whenever a widget's state is read, also before it has
    compared what the browser sent with what was, and in the callbacks of what has changed. A switch
    whose callback is left half way is not told again: the next request finds it as it is.
    """
    # Streamlit's own option, set by its own means: also where nothing reads .streamlit/config.toml.
    config.set_option("runner.fastReruns", False)
    runner: Any = ScriptRunner
    runner._maybe_handle_execution_control_request = _outside_callbacks
    state: Any = SafeSessionState
    state.on_script_will_rerun = _taken_in_whole


def ring(requests: ScriptRequests) -> None:
    """Tell the run that takes these requests that another one has come; from any thread."""
    if (bell := _bells.get(requests)) is not None:
        bell()


def listen(bell: Callable[[], None]) -> None:
    """Call `bell` (quick, from any thread) when another run is asked for than this thread's."""
    run = get_script_run_ctx(suppress_warning=True)
    if run is not None and run.script_requests is not None:
        _bells[run.script_requests] = bell


def give_way() -> None:
    """End this run here if another one is asked for."""
    if (look := get_run_yield_check()) is not None:
        look()


def draw_whole_page() -> None:
    """Have the whole page drawn once more behind a press in a part of it; in a callback.

    `st.rerun` does nothing there, and behind the callback the part may have ended already.
    """
    run = get_script_run_ctx()
    if run is not None and run.script_requests is not None and run.fragment_ids_this_run:
        run.script_requests.request_rerun(
            RerunData(
                query_string=run.query_string,
                page_script_hash=run.page_script_hash,
                cached_message_hashes=run.cached_message_hashes,
                context_info=run.context_info,
            )
        )


@contextmanager
def undisturbed() -> Iterator[None]:
    """Go on to the end of this block, as in a callback, also where another run is asked for."""
    _here.is_undisturbed = True
    try:
        yield
    finally:
        _here.is_undisturbed = False


def _outside_callbacks(runner: ScriptRunner) -> None:
    is_callback = ThreadState.get().run_location is RunLocation.CALLBACK
    # A run that ends for one request draws a little more on its way out (a status is folded, a
    # spinner goes): to take the next request there would throw the first one away.
    is_ending = isinstance(sys.exc_info()[1], RerunException | StopException)
    if not (is_callback or is_ending or getattr(_here, "is_undisturbed", False)):
        _look_for_requests(runner)


def _taken_in_whole(session_state: SafeSessionState, *states: Any, **replayed: Any) -> None:
    with undisturbed():
        may_press = _may_press()
    if not may_press:
        return
    with session_state._lock:
        session_state._state.on_script_will_rerun(*states, **replayed)
