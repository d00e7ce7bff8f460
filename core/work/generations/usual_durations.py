"""How long tasks of one sort took here: what is still to wait is told by that."""

from collections.abc import Callable

from core.errors import StoreError
from core.models.generations import GenerationRequest, Provider
from core.storage.store import Store

KEPT_S = 60.0


class UsualDurations:
    """Durations of finished tasks of one provider, read anew after a while. From any thread."""

    def __init__(self, store: Store, provider: Provider, clock: Callable[[], float]) -> None:
        self._store = store
        self._provider: Provider = provider
        self._clock = clock
        self._known: dict[tuple[object, ...], tuple[float, tuple[float, ...]]] = {}

    def durations(self, request: GenerationRequest) -> tuple[float, ...]:
        """Return how long tasks like this one took here, in seconds."""
        key = (request.kind, request.model_name, request.resolution, request.n)
        read_at, known = self._known.get(key, (0.0, ()))
        if key in self._known and self._clock() - read_at < KEPT_S:
            return known
        try:
            known = self._store.generation_lists.finished_durations(
                self._provider,
                kind=request.kind,
                model=request.model_name,
                resolution=request.resolution,
                n=request.n,
            )
        except StoreError:
            return known
        self._known[key] = (self._clock(), known)
        return known
