"""Reference cycles: what is done leaves no object that waits for the garbage collector."""

import gc
from collections import Counter
from collections.abc import Callable

from tests.waiting import until

TIMES = 4


def assert_freed(
    do: Callable[[], object],
    *modules: str,
    kept: tuple[str, ...] = (),
    forget: Callable[[], object] = lambda: None,
) -> None:
    """Do it a few times; of what these modules define, nothing is left of each time.

    But for what is kept on purpose: by these names (their beginnings), or until it is forgotten.
    What is fewer than those times was made once, by this or by something beside it.
    """

    def alive() -> Counter[str]:
        forget()
        kinds = (type(one) for one in gc.get_objects())
        names = (f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)
        return Counter(name for name in names if is_watched(name))

    def is_watched(name: str) -> bool:
        return name.startswith(modules) and not name.startswith(kept)

    do()
    gc.collect()
    gc.disable()
    try:
        before = alive()
        for _ in range(TIMES):
            do()
        left: dict[str, int] = {}

        def is_freed() -> bool:
            nonlocal left
            left = {name: n for name, n in (alive() - before).items() if n >= TIMES}
            return not left

        try:
            until(is_freed, "everything is freed")
        except AssertionError as error:
            raise AssertionError(f"left behind: {left}") from error
    finally:
        gc.enable()
