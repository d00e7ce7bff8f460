"""Progress of a generation in words and as a share: its state, the time so far, the estimate."""

from datetime import UTC, datetime

from core.errors import AppError
from core.models.generations import Generation, GenerationStatus
from core.texts import catalogue
from core.ui import session
from core.ui.formats import duration
from core.ui.session import text
from core.work.generations.estimates import Estimate

_RUNNING = frozenset({GenerationStatus.SUBMITTED, GenerationStatus.PROCESSING})
# The estimate is no promise: the bar waits here for the end.
_FULL_BEFORE_THE_END = 0.95
_GOES_ON: dict[GenerationStatus, str] = {
    GenerationStatus.INTENDED: "images.is_sent_later",
    GenerationStatus.UNCERTAIN: "images.is_looked_up",
    GenerationStatus.SUBMITTED: "images.is_looked_up",
    GenerationStatus.PROCESSING: "images.is_looked_up",
    GenerationStatus.SUCCEEDED: "images.is_fetched",
}


def is_waiting(generation: Generation) -> bool:
    """Tell whether nothing of it was sent yet, so that it can be cancelled."""
    return generation.status is GenerationStatus.INTENDED and generation.sending_at is None


def state_text(generation: Generation) -> str:
    """Return where a generation stands, with the time so far while it runs."""
    status = generation.status
    if status is GenerationStatus.INTENDED and generation.sending_at is not None:
        return text("images.state_sending")
    label = text(f"images.state_{status}")
    if status.is_final or status is GenerationStatus.INTENDED:
        return label
    return f"{label} · {duration(_elapsed_s(generation))}"


def share_done(generation: Generation, usual: Estimate | None) -> float:
    """Return how far a generation is by the estimate, between 0 and 1; it never looks ended."""
    if generation.status is GenerationStatus.SUCCEEDED:
        return _FULL_BEFORE_THE_END
    if generation.status not in _RUNNING or usual is None or usual.median_s <= 0:
        return 0.0
    return min(_FULL_BEFORE_THE_END, _elapsed_s(generation) / usual.median_s)


def usual_time(generation: Generation) -> Estimate | None:
    """Return the estimate for such a generation; None while too few have finished."""
    if generation.status not in _RUNNING:
        return None
    try:
        return session.studio().generations.estimate(generation.owner, generation.request)
    except AppError:
        return None


def estimate_text(generation: Generation, usual: Estimate | None) -> str | None:
    """Return how long such tasks take here, or that too few have finished to tell."""
    if generation.status not in _RUNNING:
        return None
    if usual is None:
        return text("images.no_estimate")
    return text("images.estimate", time=duration(usual.median_s), samples=usual.samples)


def why_it_waits(generation: Generation) -> str | None:
    """Return why a generation is held up, and what it does about it by itself."""
    if generation.status.is_final:
        return None
    reason = _held_up_by(generation)
    return None if reason is None else f"{reason} {text(_GOES_ON[generation.status])}"


def lacks_its_key(generation: Generation) -> bool:
    """Tell whether a task waits for a key that was taken out of the settings."""
    is_open = not generation.status.is_final
    return is_open and generation.provider == "kling" and session.image_mode() != "live"


def _held_up_by(generation: Generation) -> str | None:
    studio = session.studio()
    if (blocking_error := studio.generations.blocking_error(generation.id)) is not None:
        waiting = catalogue.waiting_sentence(
            session.language(), blocking_error.text_id, blocking_error.facts
        )
        return waiting or session.error_text(blocking_error)
    try:
        busy = studio.generations.refusal_for_now(generation)
    except AppError:
        return None
    if busy is None:
        return None
    return catalogue.waiting_sentence(session.language(), busy.text_id, busy.facts)


def _elapsed_s(generation: Generation) -> float:
    since = generation.submitted_at or generation.created_at
    return max(0.0, (datetime.now(UTC) - since).total_seconds())
